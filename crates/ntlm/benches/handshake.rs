//! A whole handshake, both sides, and the client's half of it.
#![allow(missing_docs, clippy::unwrap_used)]

use criterion::{Criterion, criterion_group, criterion_main};
use winrm_ntlm::{Credentials, FileTime, Fresh, client, server};

fn fresh() -> Fresh {
    Fresh {
        client_challenge: [1; 8],
        server_challenge: [2; 8],
        exported_session_key: [3; 16],
        time: FileTime(0x01dc_0000_0000_0000),
    }
}

fn handshake(criterion: &mut Criterion) {
    let credentials = Credentials::password(r"EXAMPLE\ops", "correct horse battery staple");
    let fresh = fresh();
    criterion.bench_function("ntlm_handshake_both_sides", |bencher| {
        bencher.iter(|| {
            let (client, negotiate) =
                client::Start::new(credentials.clone(), client::Config::default()).negotiate();
            let server = server::Start::new(server::Config::new("SERVER"));
            let (server, challenge) = server.challenge(&negotiate, &fresh).unwrap();
            let (session, authenticate) = client.authenticate(&challenge, &fresh).unwrap();
            (session, server.authenticate(&authenticate).unwrap().verify(&credentials).unwrap())
        });
    });
    let (_, negotiate) = client::Start::new(credentials.clone(), client::Config::default()).negotiate();
    let (_, challenge) =
        server::Start::new(server::Config::new("SERVER")).challenge(&negotiate, &fresh).unwrap();
    criterion.bench_function("ntlm_handshake_client", |bencher| {
        bencher.iter(|| {
            let (client, negotiate) =
                client::Start::new(credentials.clone(), client::Config::default()).negotiate();
            (negotiate, client.authenticate(&challenge, &fresh).unwrap())
        });
    });
}

criterion_group!(benches, handshake);
criterion_main!(benches);
