//! Several messages out of one input.

/// Takes an input apart: a byte of options first, then messages, each behind a big-endian length of 16 bits. The
/// last message may be cut short.
pub struct Steps<'a> {
    /// What the target makes of them is its business.
    pub options: u8,
    rest: &'a [u8],
}

impl<'a> Steps<'a> {
    pub fn new(input: &'a [u8]) -> Self {
        let (options, rest) = input.split_first().unwrap_or((&0, &[]));
        Self { options: *options, rest }
    }

    /// Whether this bit of the options is set.
    pub fn option(&self, bit: u32) -> bool {
        self.options & (1 << bit) != 0
    }
}

impl<'a> Iterator for Steps<'a> {
    type Item = &'a [u8];

    fn next(&mut self) -> Option<&'a [u8]> {
        let (len, rest) = self.rest.split_first_chunk()?;
        let len = usize::from(u16::from_be_bytes(*len)).min(rest.len());
        let (message, rest) = rest.split_at(len);
        self.rest = rest;
        Some(message)
    }
}
