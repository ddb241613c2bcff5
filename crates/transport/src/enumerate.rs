//! Lists of resources (WS-Enumeration, DSP0226 section 8).

use winrm_wsman::{Batch, Body, Enumerate, Filter, Message, Pull, Resource, uri};

use crate::client::Client;
use crate::error::Error;

/// Resources asked for at once, as Windows clients do.
const AT_ONCE: u32 = 32_000;
/// Resources of a list in all, and batches: a service that goes on for ever is not believed.
const MOST: usize = 100_000;
const BATCHES: usize = 1_000;

impl Client {
    /// Lists the resources of a kind, those that `filter` lets through. It asks for all at once, and for more until there are none.
    ///
    /// # Errors
    /// As [`request`](Self::request). A service whose list does not end is answered by
    /// [`ErrorKind::UnexpectedAnswer`](crate::ErrorKind::UnexpectedAnswer).
    pub async fn enumerate(
        &self,
        resource_uri: &str,
        filter: Option<Filter>,
    ) -> Result<Vec<Resource>, Error> {
        let body = Body::Enumerate(Enumerate {
            optimize: true,
            max_elements: Some(AT_ONCE),
            filter,
            ..Enumerate::default()
        });
        let mut asked = Message::new(self.header(resource_uri, uri::ACTION_ENUMERATE), body);
        let mut resources = Vec::new();
        for _ in 0..BATCHES {
            let answer = self.request(asked).await?;
            let (Body::EnumerateResponse(batch) | Body::PullResponse(batch)) = answer.body else {
                return Err(self.unexpected(&answer.header));
            };
            let Batch { context, items, end_of_sequence, .. } = batch;
            resources.extend(items);
            let context = context.filter(|context| !context.is_empty() && !end_of_sequence);
            let Some(context) = context else { return Ok(resources) };
            if resources.len() > MOST {
                return Err(self.unexpected(&answer.header));
            }
            let pull = Pull { context, max_elements: Some(AT_ONCE), ..Pull::default() };
            asked = Message::new(self.header(resource_uri, uri::ACTION_PULL), Body::Pull(pull));
        }
        Err(self.unexpected(&self.header(resource_uri, uri::ACTION_PULL_RESPONSE)))
    }
}
