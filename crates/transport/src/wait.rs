//! Waiting for a host that starts.

use std::time::Duration;

use http::StatusCode;
use tokio::time::Instant;

use crate::ClientBuilder;
use crate::error::{Error, ErrorKind, Step};
use crate::probe::{Probe, probe};
use crate::retry;

/// The pause after the first attempt; it grows by a half each time.
const FIRST_PAUSE: Duration = Duration::from_secs(1);
/// The longest pause between attempts.
const MAX_PAUSE: Duration = Duration::from_secs(10);

/// Asks the endpoint of `builder` again and again, without log-on, until a service answers, for `limit` at most.
/// `not_yet` is told of each attempt that found none.
///
/// A host counts as starting while nothing answers, connections break, or the answer is that the service is busy (HTTP
/// 425, 429, 502, 503, 504).
///
/// # Errors
/// At once what waiting does not mend, for instance a certificate that is not trusted; at the limit why the last attempt
/// failed.
pub async fn wait_until_ready(
    builder: &ClientBuilder,
    limit: Duration,
    mut not_yet: impl FnMut(&Error),
) -> Result<Probe, Error> {
    let end = Instant::now() + limit;
    let mut pause = FIRST_PAUSE;
    let mut last = None;
    loop {
        let error = match tokio::time::timeout_at(end, attempt(builder)).await {
            Ok(Ok(probe)) => return Ok(probe),
            Ok(Err(error)) if !is_starting(&error) => return Err(error),
            Ok(Err(error)) => error,
            // What an earlier attempt said tells more than that this one was cut short.
            Err(_) => return Err(last.unwrap_or_else(|| late(builder, limit))),
        };
        not_yet(&error);
        let next = Instant::now() + retry::jittered(pause, retry::random());
        if next >= end {
            return Err(error);
        }
        last = Some(error);
        tokio::time::sleep_until(next).await;
        pause = (pause * 3 / 2).min(MAX_PAUSE);
    }
}

async fn attempt(builder: &ClientBuilder) -> Result<Probe, Error> {
    let found = probe(builder).await?;
    match found.status {
        status @ (StatusCode::TOO_EARLY
        | StatusCode::TOO_MANY_REQUESTS
        | StatusCode::BAD_GATEWAY
        | StatusCode::SERVICE_UNAVAILABLE
        | StatusCode::GATEWAY_TIMEOUT)
            if found.identity.is_none() =>
        {
            Err(Error::new(builder.endpoint(), Step::Negotiate, ErrorKind::Busy { status }))
        }
        _ => Ok(found),
    }
}

fn late(builder: &ClientBuilder, limit: Duration) -> Error {
    Error::new(builder.endpoint(), Step::Connect, ErrorKind::Deadline(limit))
}

fn is_starting(error: &Error) -> bool {
    matches!(
        error.kind(),
        ErrorKind::Io(_)
            | ErrorKind::Deadline(_)
            | ErrorKind::ConnectionLost(_)
            | ErrorKind::ConnectionClosed(_)
            | ErrorKind::Busy { .. }
    ) || matches!(error.kind(), ErrorKind::Proxy { failure, .. } if failure.is_absence())
}

#[cfg(test)]
mod tests {
    use std::io;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    use super::*;
    use crate::http::{Connecting, Connector, Stream};
    use crate::{Client, Endpoint};

    /// A host that answers from a certain attempt on.
    #[derive(Debug)]
    struct Starting {
        attempts: AtomicUsize,
        ready_at: usize,
        answer: &'static str,
    }

    impl Connector for Starting {
        fn connect<'a>(&'a self, _: &'a Endpoint) -> Connecting<'a> {
            Box::pin(async move {
                if self.attempts.fetch_add(1, Ordering::SeqCst) + 1 < self.ready_at {
                    return Err(io::ErrorKind::ConnectionRefused.into());
                }
                let (ours, mut theirs) = tokio::io::duplex(4096);
                let answer = self.answer;
                tokio::spawn(async move {
                    let mut request = [0; 4096];
                    while theirs.read(&mut request).await.is_ok_and(|len| len > 0) {
                        if theirs.write_all(answer.as_bytes()).await.is_err() {
                            return;
                        }
                    }
                });
                let stream: Box<dyn Stream> = Box::new(ours);
                Ok(stream)
            })
        }
    }

    fn host(ready_at: usize, answer: &'static str) -> (Arc<Starting>, ClientBuilder) {
        let starting = Arc::new(Starting { attempts: AtomicUsize::new(0), ready_at, answer });
        let connector: Arc<dyn Connector> = starting.clone();
        (starting, Client::builder("host.test").unwrap().connector(connector))
    }

    const READY: &str =
        "HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: Negotiate\r\nContent-Length: 0\r\n\r\n";
    const BUSY: &str = "HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n";

    #[tokio::test(start_paused = true)]
    async fn a_host_that_comes_up_is_found() {
        let (_, builder) = host(7, READY);
        let mut failures = 0;
        let found = wait_until_ready(&builder, Duration::from_mins(5), |_| failures += 1).await.unwrap();
        assert_eq!((found.schemes, failures), (vec!["Negotiate".to_owned()], 6));
    }

    #[tokio::test(start_paused = true)]
    async fn the_limit_ends_it() {
        for (ready_at, answer) in [(usize::MAX, READY), (1, BUSY)] {
            let (host, builder) = host(ready_at, answer);
            let started = Instant::now();
            let limit = Duration::from_mins(1);
            wait_until_ready(&builder, limit, |_| {}).await.unwrap_err();
            assert!(started.elapsed() <= limit && started.elapsed() > limit / 2);
            let attempts = host.attempts.load(Ordering::SeqCst);
            assert!((8..25).contains(&attempts), "{attempts} attempts");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn an_attempt_that_hangs_is_cut_short_at_the_limit() {
        let builder = host(1, "").1;
        let started = Instant::now();
        let limit = Duration::from_secs(5);
        let error = wait_until_ready(&builder, limit, |_| {}).await.unwrap_err();
        assert!(matches!(error.kind(), ErrorKind::Deadline(_)), "{error}");
        assert_eq!(started.elapsed(), limit);
    }
}
