//! Where a device is: networks by name, and what a rule makes of an unknown place.

use std::net::IpAddr;

use crate::context::{Place, PlaceProof};

/// A place of the school: the networks it is known by.
#[derive(Debug, Clone)]
pub(super) struct NamedPlace {
    pub name: String,
    pub networks: Vec<Network>,
    pub path: String,
}

impl NamedPlace {
    pub fn contains(&self, address: IpAddr) -> bool {
        self.networks
            .iter()
            .any(|network| network.contains(address))
    }
}

/// A range of addresses, such as `10.20.0.0/16`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Network {
    address: IpAddr,
    prefix_bits: u8,
}

impl Network {
    /// Reads `10.20.0.0/16`, `2001:db8::/32` or a single address.
    pub fn parse(written: &str) -> Result<Self, String> {
        let faulty = || {
            format!(
                "`{written}` is not a network; write an address and the bits that count, like `10.20.0.0/16`"
            )
        };
        let (address, bits) = match written.split_once('/') {
            Some((address, bits)) => (address, Some(bits)),
            None => (written, None),
        };
        let address: IpAddr = address.parse().map_err(|_| faulty())?;
        let most = if address.is_ipv4() { 32 } else { 128 };
        let prefix_bits = match bits {
            None => most,
            Some(bits) => bits.parse().map_err(|_| faulty())?,
        };
        if prefix_bits > most {
            return Err(faulty());
        }
        let network = Self {
            address,
            prefix_bits,
        };
        let first = network.first();
        if first != address {
            return Err(format!(
                "`{written}` has bits set behind the first {prefix_bits}; did you mean `{first}/{prefix_bits}`?"
            ));
        }
        Ok(network)
    }

    /// Its first address.
    pub fn address(&self) -> IpAddr {
        self.address
    }

    pub fn contains(&self, address: IpAddr) -> bool {
        let given = Self {
            address: address.to_canonical(),
            prefix_bits: self.prefix_bits,
        };
        given.address.is_ipv4() == self.address.is_ipv4() && given.first() == self.address
    }

    fn first(&self) -> IpAddr {
        match self.address {
            IpAddr::V4(address) => {
                let kept = u32::MAX
                    .checked_shl(32 - u32::from(self.prefix_bits))
                    .unwrap_or(0);
                IpAddr::V4((u32::from(address) & kept).into())
            }
            IpAddr::V6(address) => {
                let kept = u128::MAX
                    .checked_shl(128 - u32::from(self.prefix_bits))
                    .unwrap_or(0);
                IpAddr::V6((u128::from(address) & kept).into())
            }
        }
    }
}

/// Where a rule holds.
#[derive(Debug, Clone)]
pub(super) struct Where {
    /// In one of these places, by number; anywhere when there are none.
    pub inside: Vec<u16>,
    /// In none of these.
    pub outside: Vec<u16>,
    /// The weakest proof of an address that counts; a weaker one is an unknown place.
    pub weakest_proof: PlaceProof,
    /// Whether it holds where the place is unknown.
    pub unknown_applies: bool,
}

impl Where {
    pub fn holds(&self, place: &Place, places: &[NamedPlace]) -> bool {
        let address = match place {
            Place::Address { address, proof } if *proof <= self.weakest_proof => *address,
            _ => return self.unknown_applies,
        };
        let is_in = |number: &u16| places[usize::from(*number)].contains(address);
        (self.inside.is_empty() || self.inside.iter().any(is_in)) && !self.outside.iter().any(is_in)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn contains(network: &str, address: &str) -> bool {
        Network::parse(network)
            .unwrap()
            .contains(address.parse().unwrap())
    }

    #[test]
    fn a_network_holds_its_own_addresses_alone() {
        assert!(contains("10.20.0.0/16", "10.20.255.255"));
        assert!(!contains("10.20.0.0/16", "10.21.0.0"));
        assert!(contains("10.20.30.7", "10.20.30.7"));
        assert!(contains("0.0.0.0/0", "1.2.3.4"));
        assert!(!contains("0.0.0.0/0", "2001:db8::1"));
        assert!(contains("2001:db8::/32", "2001:db8:ffff::1"));
        assert!(contains("10.20.0.0/16", "::ffff:10.20.1.1"));
    }

    #[test]
    fn a_slip_in_a_network_is_explained() {
        let message = Network::parse("10.20.30.1/24").unwrap_err();
        assert!(
            message.ends_with("did you mean `10.20.30.0/24`?"),
            "{message}"
        );
        for wrong in ["10.20.0.0/33", "school", "10.20.0.0/", ""] {
            assert!(Network::parse(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_proof_that_is_too_weak_is_an_unknown_place() {
        let places = [NamedPlace {
            name: "school".into(),
            networks: vec![Network::parse("10.0.0.0/8").unwrap()],
            path: String::new(),
        }];
        let mut held = Where {
            inside: vec![0],
            outside: vec![],
            weakest_proof: PlaceProof::Beacon,
            unknown_applies: false,
        };
        let at = |proof| Place::Address {
            address: "10.1.1.1".parse().unwrap(),
            proof,
        };
        assert!(held.holds(&at(PlaceProof::Device), &places));
        assert!(held.holds(&at(PlaceProof::Beacon), &places));
        assert!(!held.holds(&at(PlaceProof::Stated), &places));
        held.unknown_applies = true;
        assert!(held.holds(&at(PlaceProof::Stated), &places));
        assert!(held.holds(&Place::Unknown, &places));
    }
}
