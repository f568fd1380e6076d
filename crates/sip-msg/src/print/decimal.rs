//! Numbers in decimal.

/// As many digits as a `usize` has at most.
const MOST: usize = 20;

/// A number in decimal, without a buffer of the heap and without the formatting machinery.
#[derive(Clone, Copy, Debug)]
pub struct Decimal {
    digits: [u8; MOST],
    start: u8,
}

impl Decimal {
    /// The digits of a number.
    #[inline]
    pub fn of(mut number: usize) -> Self {
        let mut digits = [0; MOST];
        let mut at = MOST;
        loop {
            at -= 1;
            digits[at] = b'0' + (number % 10) as u8;
            number /= 10;
            if number == 0 || at == 0 {
                break;
            }
        }
        Decimal { digits, start: at as u8 }
    }

    /// The digits, the highest first, without leading zeros.
    #[inline]
    pub fn as_bytes(&self) -> &[u8] {
        self.digits.get(usize::from(self.start)..).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::Decimal;

    #[test]
    fn as_the_standard_library_writes_them() {
        for value in [0, 7, 10, 65535, usize::MAX] {
            assert_eq!(Decimal::of(value).as_bytes(), value.to_string().as_bytes());
        }
    }
}
