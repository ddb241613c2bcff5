//! Answers kept for requests that are sent again: the robust connections of MS-WSMV 3.1.4.1.39.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::Instant;
use winrm_wsman::{Header, Message};

/// Answers kept at once; the oldest goes first.
const MAX_KEPT: usize = 64;
/// How long an answer is kept.
const KEPT_FOR: Duration = Duration::from_mins(4);

/// Who asked, and the OperationID of the request.
type Key = (String, String);

/// The answers of a service.
#[derive(Debug, Default)]
pub(crate) struct KeptAnswers(Mutex<HashMap<Key, Kept>>);

#[derive(Debug)]
struct Kept {
    answer: watch::Receiver<Option<Message>>,
    since: Instant,
}

/// What is to be done about a request with an OperationID.
pub(crate) enum Asked {
    /// It is new: do it, and put the answer here.
    New(watch::Sender<Option<Message>>, watch::Receiver<Option<Message>>),
    /// It came before: the answer is here, or will be.
    Again(watch::Receiver<Option<Message>>),
    /// It is said to be new, and is not.
    NotNew,
}

impl KeptAnswers {
    /// Looks at a request of `user`. Without an OperationID nothing is kept for it, and there is no answer here.
    pub(crate) fn ask(&self, user: &str, header: &Header) -> Option<Asked> {
        let id = header.operation_id.as_ref()?;
        let key = (user.to_owned(), id.to_ascii_uppercase());
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        kept.retain(|_, kept| kept.since.elapsed() < KEPT_FOR);
        if let Some(known) = kept.get(&key) {
            return Some(if header.retransmission {
                Asked::Again(known.answer.clone())
            } else {
                Asked::NotNew
            });
        }
        if kept.len() >= MAX_KEPT
            && let Some(oldest) = kept.iter().min_by_key(|(_, kept)| kept.since).map(|(key, _)| key.clone())
        {
            kept.remove(&oldest);
        }
        let (sender, answer) = watch::channel(None);
        kept.insert(key, Kept { answer: answer.clone(), since: Instant::now() });
        Some(Asked::New(sender, answer))
    }
}

/// Waits for an answer; `None` when the operation came to none.
pub(crate) async fn fetch(mut answer: watch::Receiver<Option<Message>>) -> Option<Message> {
    answer.wait_for(Option::is_some).await.ok()?.clone()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn header(id: &str, retransmission: bool) -> Header {
        Header { operation_id: Some(id.to_owned()), retransmission, ..Header::default() }
    }

    #[tokio::test(start_paused = true)]
    async fn an_answer_is_kept_for_its_user_and_for_a_time() {
        let kept = KeptAnswers::default();
        let Some(Asked::New(sender, _)) = kept.ask("a", &header("uuid:x", true)) else { panic!("new") };
        assert!(matches!(kept.ask("a", &header("UUID:X", false)), Some(Asked::NotNew)));
        assert!(matches!(kept.ask("b", &header("uuid:x", true)), Some(Asked::New(..))));
        let Some(Asked::Again(waiting)) = kept.ask("a", &header("uuid:X", true)) else { panic!("again") };
        sender.send_replace(Some(Message::new(Header::default(), winrm_wsman::Body::DeleteResponse)));
        assert!(fetch(waiting).await.is_some());
        tokio::time::advance(KEPT_FOR).await;
        assert!(matches!(kept.ask("a", &header("uuid:x", false)), Some(Asked::New(..))));
        assert!(kept.ask("a", &Header::default()).is_none());
    }

    #[tokio::test]
    async fn answers_are_bounded_in_number() {
        let kept = KeptAnswers::default();
        for number in 0..MAX_KEPT * 2 {
            assert!(matches!(kept.ask("a", &header(&number.to_string(), false)), Some(Asked::New(..))));
        }
        assert_eq!(kept.0.lock().unwrap().len(), MAX_KEPT);
    }
}
