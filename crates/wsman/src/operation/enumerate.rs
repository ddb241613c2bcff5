//! Enumerate: lists resources (WS-Enumeration, DSP0226 section 8.2).

use crate::header::Selector;
use crate::operation::get::Resource;

/// `n:Enumerate`.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Enumerate {
    /// `n:Expires`, as sent.
    pub expires: Option<String>,
    /// `w:OptimizeEnumeration`: the first items may come in the answer at once.
    pub optimize: bool,
    /// `w:MaxElements` of an optimized enumeration.
    pub max_elements: Option<u32>,
    /// `w:EnumerationMode`, for instance `EnumerateEPR`.
    pub mode: Option<String>,
    /// `w:Filter`.
    pub filter: Option<Filter>,
}

/// `w:Filter` (DSP0226 section 8.3).
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Filter {
    /// The attribute `Dialect`, for instance [`DIALECT_WQL`](crate::uri::DIALECT_WQL).
    pub dialect: Option<String>,
    /// What passes.
    pub condition: Condition,
}

/// The content of a filter.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum Condition {
    /// A query.
    Text(String),
    /// A `w:SelectorSet`.
    Selectors(Vec<Selector>),
}

/// `n:EnumerateResponse` and `n:PullResponse`.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Batch {
    /// `n:Expires`, as sent.
    pub expires: Option<String>,
    /// `n:EnumerationContext`, for the next Pull; Windows sends an empty one at the end.
    pub context: Option<String>,
    /// The items, in order.
    pub items: Vec<Resource>,
    /// Nothing more will come.
    pub end_of_sequence: bool,
}
