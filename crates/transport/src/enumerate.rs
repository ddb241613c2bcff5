//! Lists of resources (WS-Enumeration, DSP0226 section 8).

use winrm_wsman::{Batch, Body, Enumerate, Filter, Header, Message, Pull, Resource, uri};

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
        let listed = all(
            filter,
            |action, body| Message::new(self.header(resource_uri, action), body),
            |message| self.request(message),
        );
        listed.await?.map_err(|answer| self.unexpected(&answer))
    }
}

/// Asks for batches until there are no more; else with the head of the answer that makes no sense, or one too many.
async fn all<F: Future<Output = Result<Message, Error>>>(
    filter: Option<Filter>,
    message: impl Fn(&str, Body) -> Message,
    request: impl Fn(Message) -> F,
) -> Result<Result<Vec<Resource>, Header>, Error> {
    let enumerate = Enumerate { optimize: true, max_elements: Some(AT_ONCE), filter, ..Enumerate::default() };
    let mut asked = message(uri::ACTION_ENUMERATE, Body::Enumerate(enumerate));
    let mut resources = Vec::new();
    for batches in 1.. {
        let answer = request(asked).await?;
        let (Body::EnumerateResponse(batch) | Body::PullResponse(batch)) = answer.body else {
            return Ok(Err(answer.header));
        };
        let Batch { context, items, end_of_sequence, .. } = batch;
        resources.extend(items);
        let context = context.filter(|context| !context.is_empty() && !end_of_sequence);
        let Some(context) = context else { break };
        if batches >= BATCHES || resources.len() > MOST {
            return Ok(Err(answer.header));
        }
        let pull = Pull { context, max_elements: Some(AT_ONCE), ..Pull::default() };
        asked = message(uri::ACTION_PULL, Body::Pull(pull));
    }
    Ok(Ok(resources))
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;

    use winrm_wsman::{ListedCommand, Selector};

    use super::*;

    fn message(action: &str, body: Body) -> Message {
        Message::new(Header { action: Some(action.to_owned()), ..Header::default() }, body)
    }

    fn item(number: usize) -> Resource {
        ListedCommand { command_id: number.to_string(), shell_id: None }.to_resource()
    }

    /// What is asked, and answers to it by the number of the request.
    async fn listed(answer: impl Fn(usize) -> Batch) -> (Result<Vec<Resource>, Header>, Vec<Option<String>>) {
        let asked = RefCell::new(Vec::new());
        let request = |message: Message| {
            let number = asked.borrow().len();
            let (context, body) = match message.body {
                Body::Enumerate(_) => (None, Body::EnumerateResponse(answer(number))),
                Body::Pull(pull) => (Some(pull.context), Body::PullResponse(answer(number))),
                other => panic!("{other:?}"),
            };
            asked.borrow_mut().push(context);
            std::future::ready(Ok(Message::new(message.header, body)))
        };
        let listed = all(None, message, request).await.unwrap();
        (listed, asked.into_inner())
    }

    #[tokio::test]
    async fn batches_are_pulled_by_the_context_of_the_one_before() {
        let (listed, asked) = listed(|number| Batch {
            context: Some(format!("c{number}")),
            items: vec![item(number)],
            end_of_sequence: number == 2,
            ..Batch::default()
        })
        .await;
        assert_eq!(listed.unwrap(), [item(0), item(1), item(2)]);
        assert_eq!(asked, [None, Some("c0".to_owned()), Some("c1".to_owned())]);
    }

    #[tokio::test]
    async fn a_list_ends_without_a_context_and_never_goes_on_for_ever() {
        let (none, asked) = listed(|_| Batch { context: Some(String::new()), ..Batch::default() }).await;
        assert_eq!((none.unwrap(), asked.len()), (Vec::new(), 1));
        let (endless, asked) = listed(|_| Batch { context: Some("c".to_owned()), ..Batch::default() }).await;
        assert_eq!(endless.unwrap_err().action(), uri::ACTION_PULL);
        assert_eq!(asked.len(), BATCHES);
    }

    #[tokio::test]
    async fn another_answer_is_none() {
        let filter = Filter {
            dialect: Some(uri::DIALECT_SELECTOR.to_owned()),
            condition: winrm_wsman::Condition::Selectors(vec![Selector::new("ShellId", "A")]),
        };
        let request = |asked: Message| {
            let Body::Enumerate(enumerate) = &asked.body else { panic!("{:?}", asked.body) };
            assert!(enumerate.optimize && enumerate.filter.is_some());
            std::future::ready(Ok(Message::new(asked.header, Body::DeleteResponse)))
        };
        assert!(all(Some(filter), message, request).await.unwrap().is_err());
    }
}
