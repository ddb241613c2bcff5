//! Splitting a list of hosts among jobs.

use std::fmt;
use std::num::NonZeroU32;
use std::str::FromStr;

/// One of several parts of a list, written `I/N` with `I` from 0 to `N`-1, as Kubernetes counts the pods of an indexed job.
///
/// Which part a host is in depends on its name and on `N` only: a host that is added or removed moves no other, and each
/// is in exactly one part. Parts are about equal, not exactly.
///
/// The rule, for those who must do the same elsewhere: FNV-1a of 64 bits over the bytes of the name in ASCII lower case, then
/// `h ^= h >> 33; h *= 0xff51afd7ed558ccd; h ^= h >> 33; h *= 0xc4ceb9fe1a85ec53; h ^= h >> 33`, and the part is
/// `(h * N) >> 64`, multiplied in 128 bits. It will not change.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub struct Shard {
    index: u32,
    count: NonZeroU32,
}

/// Why a text is not a shard.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum ShardError {
    /// Not two numbers with a slash between.
    #[error("a shard is written I/N, such as 0/4 for the first of four")]
    Syntax,
    /// Of no parts there is none.
    #[error("a list cannot be split into 0 shards")]
    NoShards,
    /// The index is not below the count.
    #[error("shards count from 0: of {count}, the last is {}", .count.get() - 1)]
    OutOfRange {
        /// How many there are.
        count: NonZeroU32,
    },
}

impl Shard {
    /// Part `index` of `count`, from 0.
    ///
    /// # Errors
    ///
    /// When `count` is 0 or `index` is not below it.
    pub fn new(index: u32, count: u32) -> Result<Self, ShardError> {
        let count = NonZeroU32::new(count).ok_or(ShardError::NoShards)?;
        if index >= count.get() {
            return Err(ShardError::OutOfRange { count });
        }
        Ok(Self { index, count })
    }

    /// Which part, from 0.
    pub fn index(self) -> u32 {
        self.index
    }

    /// Of how many.
    pub fn count(self) -> u32 {
        self.count.get()
    }

    /// Whether the host of this name is in this part. Case does not matter, as in names of hosts.
    pub fn contains(self, name: &str) -> bool {
        let part = (u128::from(hash(name)) * u128::from(self.count.get())) >> 64;
        part == u128::from(self.index)
    }

    /// The items of this part in their order; `name` tells the name of an item's host.
    pub fn select<T>(
        self,
        items: impl IntoIterator<Item = T>,
        name: impl Fn(&T) -> &str,
    ) -> impl Iterator<Item = T> {
        items.into_iter().filter(move |item| self.contains(name(item)))
    }
}

impl FromStr for Shard {
    type Err = ShardError;

    fn from_str(text: &str) -> Result<Self, ShardError> {
        let (index, count) = text.split_once('/').ok_or(ShardError::Syntax)?;
        // `u32::from_str` would take a sign.
        let number = |text: &str| {
            let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
            text.parse().ok().filter(|_| digits).ok_or(ShardError::Syntax)
        };
        Self::new(number(index)?, number(count)?)
    }
}

impl fmt::Display for Shard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.index, self.count)
    }
}

fn hash(name: &str) -> u64 {
    let fnv = name.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte.to_ascii_lowercase())).wrapping_mul(0x0000_0100_0000_01b3)
    });
    // FNV's low bits are weak (the lowest is a parity of the name's) and its high ones slow to change in short names.
    let mut hash = fnv;
    hash = (hash ^ (hash >> 33)).wrapping_mul(0xff51_afd7_ed55_8ccd);
    hash = (hash ^ (hash >> 33)).wrapping_mul(0xc4ce_b9fe_1a85_ec53);
    hash ^ (hash >> 33)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn shards(count: u32) -> Vec<Shard> {
        (0..count).map(|index| Shard::new(index, count).unwrap()).collect()
    }

    #[test]
    fn texts_are_read_and_written() {
        for text in ["0/1", "0/4", "3/4", "4294967294/4294967295"] {
            assert_eq!(text.parse::<Shard>().unwrap().to_string(), text);
        }
        for text in ["", "1", "/", "1/", "/2", "a/2", "-1/2", "+1/2", "1/2/3", " 1/2", "1/4294967296"] {
            assert_eq!(text.parse::<Shard>(), Err(ShardError::Syntax), "{text:?}");
        }
        assert_eq!("0/0".parse::<Shard>(), Err(ShardError::NoShards));
        let error = "4/4".parse::<Shard>().unwrap_err();
        assert_eq!(error.to_string(), "shards count from 0: of 4, the last is 3");
    }

    /// Jobs of different versions share a list: these figures, also computed from the rule by other means, never change.
    #[test]
    fn the_split_is_fixed() {
        let of = |name: &str| shards(1000).into_iter().find(|shard| shard.contains(name)).unwrap().index();
        assert_eq!(["web01", "web02", "db.example.com", "10.0.0.1", ""].map(of), [96, 376, 538, 783, 936]);
        assert_eq!(of("WEB01"), of("web01"));
    }

    #[test]
    fn series_of_names_are_balanced() {
        let series: [&dyn Fn(u32) -> String; 4] = [
            &|n| format!("web{n:04}.example.com"),
            &|n| format!("{n}"),
            &|n| format!("10.{}.{}.7", n / 200, n % 200),
            &|n| format!("rack{n}-node{n}"),
        ];
        for name in series {
            for count in [2, 3, 8, 16] {
                for shard in shards(count) {
                    let size = shard.select((0..4000).map(name), String::as_str).count();
                    let fair = 4000 / usize::try_from(count).unwrap();
                    assert!(size > fair * 3 / 4 && size < fair * 5 / 4, "{shard}: {size} of {}", name(1));
                }
            }
        }
    }

    proptest! {
        #[test]
        fn each_host_is_in_exactly_one_shard(names in prop::collection::vec(".{0,20}", 0..50), count in 1_u32..40) {
            let mut all: Vec<_> = shards(count)
                .into_iter()
                .flat_map(|shard| shard.select(names.iter().map(String::as_str).enumerate(), |(_, name)| name))
                .collect();
            all.sort_unstable();
            prop_assert_eq!(all, names.iter().map(String::as_str).enumerate().collect::<Vec<_>>());
        }

        #[test]
        fn a_new_host_moves_no_other(names in prop::collection::vec("[a-z0-9.]{1,12}", 1..50), at in 0_usize..50, new in "[A-Z]{1,8}") {
            let mut more = names.clone();
            more.insert(at.min(names.len()), new.clone());
            for shard in shards(5) {
                let before: Vec<_> = shard.select(&names, |name| name).collect();
                let after: Vec<_> = shard.select(&more, |name| name).filter(|name| **name != new).collect();
                prop_assert_eq!(before, after);
            }
        }

        #[test]
        fn any_text_is_a_shard_or_an_error(text in ".{0,12}") {
            if let Ok(shard) = text.parse::<Shard>() {
                prop_assert!(shard.index() < shard.count());
            }
        }
    }
}
