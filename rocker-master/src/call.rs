//! `Call`: what a guard is told of its launch, besides the request.

use rocker_guard::Slot;
use rocker_proto::limits::NAME_SIZE;

/// What the master decides. A guard that waits gets it in one packet, behind the request; the client's connection comes along,
/// and the user namespace of an earlier sandbox of the App, if there is one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Call {
    /// The guard's name.
    pub(crate) name: [u8; NAME_SIZE],
    /// A slot of the package cache that is kept for it.
    pub(crate) free: Option<Slot>,
    /// Does the policy want a signature?
    pub(crate) requires_signature: bool,
}

/// Behind a request: the name, then the slot and the signature, and the rest is zero.
pub(crate) type Trailer = [[u8; NAME_SIZE]; 2];

/// How long that is.
pub(crate) const TRAILER_SIZE: usize = size_of::<Trailer>();

impl Call {
    /// No slot has this number.
    const NO_SLOT: Slot = Slot::MAX;

    pub(crate) fn encode(&self) -> Trailer {
        let mut rest = [0; NAME_SIZE];
        rest[0] = self.free.unwrap_or(Self::NO_SLOT);
        rest[1] = self.requires_signature.into();
        [self.name, rest]
    }

    /// Takes it off the end of a packet; gives the request before it, too.
    pub(crate) fn decode(packet: &[u8]) -> Option<(&[u8], Self)> {
        let (request, trailer) = packet.split_last_chunk::<TRAILER_SIZE>()?;
        let (blocks, _) = trailer.as_chunks();
        let [name, rest]: &Trailer = blocks.first_chunk()?;
        let call = Self {
            name: *name,
            free: (rest[0] != Self::NO_SLOT).then_some(rest[0]),
            requires_signature: rest[1] != 0,
        };
        Some((request, call))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_comes_back_from_behind_a_request() {
        for free in [None, Some(0), Some(31)] {
            let call = Call {
                name: *b"rk0123456abcdef\0",
                free,
                requires_signature: free.is_some(),
            };
            let packet: Vec<u8> = b"request"
                .iter()
                .copied()
                .chain(call.encode().concat())
                .collect();
            assert_eq!(Call::decode(&packet), Some((&b"request"[..], call)));
        }
        assert_eq!(Call::decode(b"short"), None);
    }
}
