//! Sealing and unsealing in place, by message size.
#![allow(missing_docs, clippy::unwrap_used)]

use criterion::{BatchSize, BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use winrm_ntlm::{NegotiateFlags, Negotiated, ResponseVersion, Role, Session};

const KILOBYTES: [usize; 4] = [2, 16, 150, 500];

fn session(role: Role) -> Session {
    let negotiated =
        Negotiated { flags: NegotiateFlags::STRONG, response: ResponseVersion::NtlmV2, mic: true };
    Session::new(role, negotiated, [0x55; 16].into())
}

fn seal(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("ntlm_seal");
    for kilobytes in KILOBYTES {
        let mut message = vec![b'x'; kilobytes * 1024];
        group.throughput(Throughput::Bytes(message.len().try_into().unwrap()));
        let mut client = session(Role::Client);
        group.bench_function(BenchmarkId::from_parameter(format!("{kilobytes}KB")), |bencher| {
            bencher.iter(|| client.seal(&mut message).unwrap());
        });
    }
    group.finish();
}

fn unseal(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("ntlm_unseal");
    for kilobytes in KILOBYTES {
        let plaintext = vec![b'x'; kilobytes * 1024];
        group.throughput(Throughput::Bytes(plaintext.len().try_into().unwrap()));
        let (mut client, mut server) = (session(Role::Client), session(Role::Server));
        group.bench_function(BenchmarkId::from_parameter(format!("{kilobytes}KB")), |bencher| {
            // One at a time: messages must be unsealed in the order in which they were sealed.
            bencher.iter_batched(
                || {
                    let mut message = plaintext.clone();
                    let signature = client.seal(&mut message).unwrap();
                    (message, signature)
                },
                |(mut message, signature)| {
                    server.unseal(&mut message, &signature).unwrap();
                    message
                },
                BatchSize::PerIteration,
            );
        });
    }
    group.finish();
}

criterion_group!(benches, seal, unseal);
criterion_main!(benches);
