//! Random changes of what is there: as blind as a fuzzer that sees no coverage, and as quick.

/// `xorshift64*`; always the same numbers.
pub(crate) struct Random(u64);

impl Random {
    pub(crate) fn new() -> Random {
        Random(0x9e37_79b9_7f4a_7c15)
    }

    fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    /// A number below this one, which is not zero.
    fn below(&mut self, limit: usize) -> usize {
        usize::try_from(self.next() >> 32).unwrap() % limit
    }

    fn pick<'a, T>(&mut self, items: &'a [T]) -> &'a T {
        &items[self.below(items.len())]
    }

    /// One of these with one to eight changes.
    pub(crate) fn change(&mut self, corpus: &[Vec<u8>]) -> Vec<u8> {
        let mut data = self.pick(corpus).clone();
        for _ in 0..=self.below(8) {
            let place = self.below(data.len() + 1);
            let end = place + self.below(data.len() - place + 1).min(64);
            match self.below(8) {
                0 => data.truncate(place),
                1 => drop(data.drain(place..end)),
                2 => {
                    let copied = data[place..end].to_vec();
                    let there = self.below(data.len() + 1);
                    data.splice(there..there, copied);
                }
                3 => {
                    let other = self.pick(corpus);
                    let start = self.below(other.len() + 1);
                    let until = start + self.below(other.len() - start + 1).min(256);
                    data.splice(place..end, other[start..until].iter().copied());
                }
                4 => {
                    let word = *self.pick(WORDS);
                    data.splice(place..place, word.iter().copied());
                }
                5 => {
                    let byte = u8::try_from(self.below(256)).unwrap();
                    data.insert(place, byte);
                }
                _ if place < data.len() => data[place] ^= 1 << self.below(8),
                _ => {}
            }
            data.truncate(MOST_BYTES);
        }
        data
    }
}

/// What means something to one parser or another.
const WORDS: &[&[u8]] = &[
    b"\0",
    b"\"",
    b"\\",
    b"\\u0000",
    b"\\ud800",
    b"{",
    b"}",
    b"[",
    b"]",
    b",",
    b":",
    b".",
    b"..",
    b"/",
    b"//",
    b"%",
    b"%2e",
    b"%2f",
    b"%25",
    b"${A}",
    b"${",
    b"{a+}",
    b"*",
    b"?",
    b";",
    b"\n",
    b"\r\n",
    b"\t",
    b"  ",
    b"- ",
    b"&a ",
    b"*a",
    b"null",
    b"true",
    b"-1",
    b"1e999",
    b"18446744073709551616",
    b"\xff",
    b"\xc0\x80",
    b"\xe2\x80\xa8",
    b"Bearer ",
    b"alg",
    b"none",
];

const MOST_BYTES: usize = 16 * 1024;
