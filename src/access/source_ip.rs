//! Blocks of addresses (RFC 4632, RFC 4291 2.3), for `source_ip`.

use core::net::IpAddr;
use std::fmt;

/// A block of IPv4 or IPv6 addresses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct IpBlock {
    network: IpAddr,
    prefix: u32,
}

/// Why a text is no block, in words for the operator.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IpBlockError(&'static str);

impl fmt::Display for IpBlockError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

impl fmt::Display for IpBlock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.network, self.prefix)
    }
}

impl IpBlock {
    /// Reads `192.0.2.0/24`, `2001:db8::/32`, or one address. A block of IPv4-mapped addresses (`::ffff:192.0.2.0/120`) is
    /// the block of the IPv4 addresses.
    ///
    /// # Errors
    /// [`IpBlockError`].
    pub fn parse(text: &str) -> Result<Self, IpBlockError> {
        let (address, prefix) = text.split_once('/').map_or((text, None), |(address, prefix)| (address, Some(prefix)));
        let address: IpAddr =
            address.parse().map_err(|_| IpBlockError("must be a block such as 192.0.2.0/24 or 2001:db8::/32"))?;
        let bits = bits(address);
        let is_decimal = |prefix: &str| {
            !prefix.is_empty()
                && prefix.bytes().all(|byte| byte.is_ascii_digit())
                && (prefix == "0" || !prefix.starts_with('0'))
        };
        let prefix = match prefix {
            None => bits,
            Some(prefix) if is_decimal(prefix) => prefix.parse().unwrap_or(u32::MAX),
            Some(_) => u32::MAX,
        };
        if prefix > bits {
            return Err(IpBlockError(
                "must end in `/` and the number of leading bits, at most 32 for IPv4 and 128 for IPv6",
            ));
        }
        let block = match (address, address.to_canonical()) {
            (IpAddr::V6(_), canonical @ IpAddr::V4(_)) if prefix >= 96 => {
                Self { network: canonical, prefix: prefix - 96 }
            }
            _ => Self { network: address, prefix },
        };
        if block.head(block.network) != Some(number(block.network)) {
            return Err(IpBlockError(
                "the address has bits behind the block's prefix: write the block's first address",
            ));
        }
        Ok(block)
    }

    /// Whether the address is in the block. An IPv4-mapped address is its IPv4 address.
    #[must_use]
    pub fn contains(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        bits(address) == bits(self.network) && self.head(address) == Some(number(self.network))
    }

    /// Its first address.
    #[must_use]
    pub fn first(&self) -> IpAddr {
        self.network
    }

    /// Its last address.
    #[must_use]
    pub fn last(&self) -> IpAddr {
        match self.network {
            IpAddr::V4(network) => {
                let behind = u32::MAX.checked_shr(self.prefix).unwrap_or(0);
                IpAddr::V4((u32::from(network) | behind).into())
            }
            IpAddr::V6(network) => {
                let behind = u128::MAX.checked_shr(self.prefix).unwrap_or(0);
                IpAddr::V6((u128::from(network) | behind).into())
            }
        }
    }

    /// The leading bits of an address as long as the block's, the others zero.
    fn head(&self, address: IpAddr) -> Option<u128> {
        let behind = bits(self.network).checked_sub(self.prefix)?;
        Some(number(address).checked_shr(behind).unwrap_or(0).checked_shl(behind).unwrap_or(0))
    }
}

fn bits(address: IpAddr) -> u32 {
    match address {
        IpAddr::V4(_) => 32,
        IpAddr::V6(_) => 128,
    }
}

fn number(address: IpAddr) -> u128 {
    match address {
        IpAddr::V4(address) => u128::from(u32::from(address)),
        IpAddr::V6(address) => u128::from(address),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_in_its_block_and_its_neighbours_are_not() {
        for (block, inside, outside) in [
            (
                "192.0.2.0/24",
                &["192.0.2.0", "192.0.2.255", "::ffff:192.0.2.7"][..],
                &["192.0.1.255", "192.0.3.0", "::192.0.2.7"][..],
            ),
            ("192.0.2.128/25", &["192.0.2.128"], &["192.0.2.127"]),
            ("192.0.2.7/32", &["192.0.2.7"], &["192.0.2.6", "192.0.2.8"]),
            ("192.0.2.7", &["192.0.2.7"], &["192.0.2.6"]),
            ("0.0.0.0/0", &["0.0.0.0", "255.255.255.255", "::ffff:1.2.3.4"], &["::", "2001:db8::1"]),
            ("10.0.0.0/8", &["10.255.255.255"], &["11.0.0.0", "9.255.255.255"]),
            (
                "2001:db8::/32",
                &["2001:db8::", "2001:db8:ffff:ffff:ffff:ffff:ffff:ffff"],
                &["2001:db7:ffff::", "2001:db9::"],
            ),
            ("2001:db8::1/128", &["2001:db8::1"], &["2001:db8::2"]),
            ("2001:db8::8/125", &["2001:db8::f"], &["2001:db8::10", "2001:db8::7"]),
            ("::/0", &["::", "2001:db8::1"], &["192.0.2.1", "::ffff:192.0.2.1"]),
            ("::ffff:192.0.2.0/120", &["192.0.2.9", "::ffff:192.0.2.9"], &["192.0.3.0"]),
            ("::ffff:0.0.0.0/96", &["192.0.2.9"], &["2001:db8::1"]),
        ] {
            let block = IpBlock::parse(block).unwrap();
            assert!(inside.iter().all(|address| block.contains(address.parse().unwrap())), "{block:?}");
            assert!(!outside.iter().any(|address| block.contains(address.parse().unwrap())), "{block:?}");
        }
    }

    #[test]
    fn a_block_begins_and_ends_with_addresses_of_its_own() {
        for (block, first, last) in [
            ("192.0.2.0/24", "192.0.2.0", "192.0.2.255"),
            ("192.0.2.7", "192.0.2.7", "192.0.2.7"),
            ("0.0.0.0/0", "0.0.0.0", "255.255.255.255"),
            ("2001:db8::/125", "2001:db8::", "2001:db8::7"),
            ("::/0", "::", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"),
        ] {
            let block = IpBlock::parse(block).unwrap();
            assert_eq!([block.first(), block.last()], [first, last].map(|address| address.parse::<IpAddr>().unwrap()));
        }
    }

    #[test]
    fn what_is_no_block_is_refused() {
        for text in [
            "",
            "/",
            "/24",
            "192.0.2.0/",
            "192.0.2.0/33",
            "192.0.2.0/-1",
            "192.0.2.0/+24",
            "192.0.2.0/024",
            "192.0.2.0/24/24",
            "192.0.2/24",
            "192.0.2.0/255.255.255.0",
            "192.0.2.1/24",
            "192.0.2.0 /24",
            "0xC0.0.2.0/24",
            "192.000.2.0/24",
            "2001:db8::/129",
            "2001:db8::1/32",
            "::ffff:192.0.2.1/120",
            "fe80::1%eth0",
            "example.com",
            "*",
            "192.0.2.0/99999999999999999999",
        ] {
            assert!(IpBlock::parse(text).is_err(), "{text}");
        }
    }
}
