//! What somebody may have meant.

/// Names longer than this are not compared: nobody mistypes that much.
const LONGEST: usize = 64;

/// The known name that a mistyped one is closest to, by letters changed, missing, too many or swapped; nothing when
/// none is close. Of equally close ones the first.
pub fn nearest<'k>(name: &str, known: impl Iterator<Item = &'k str>) -> Option<&'k str> {
    let name = name.to_ascii_lowercase();
    let allowed = match name.len() {
        0..=3 => 1,
        4..=7 => 2,
        8..=LONGEST => 3,
        _ => return None,
    };
    known
        .filter(|known| known.len() <= LONGEST && known.len().abs_diff(name.len()) <= allowed)
        .map(|known| (distance(name.as_bytes(), known.to_ascii_lowercase().as_bytes()), known))
        .filter(|(distance, _)| *distance <= allowed)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, known)| known)
}

/// Damerau and Levenshtein's distance, neighbours swapped once (optimal string alignment).
fn distance(a: &[u8], b: &[u8]) -> usize {
    let mut before: Vec<usize> = Vec::new();
    let mut above: Vec<usize> = (0..=b.len()).collect();
    for i in 1..=a.len() {
        let mut row = vec![i; b.len() + 1];
        for j in 1..=b.len() {
            let changed = above[j - 1] + usize::from(a[i - 1] != b[j - 1]);
            row[j] = changed.min(above[j] + 1).min(row[j - 1] + 1);
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                row[j] = row[j].min(before[j - 2] + 1);
            }
        }
        before = std::mem::replace(&mut above, row);
    }
    above[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_what_was_meant() {
        let known = ["sip-ip", "sip-port", "auth-calls", "auth-messages", "context"];
        let cases = [
            ("sip-prot", Some("sip-port")),
            ("SIP-IP", Some("sip-ip")),
            ("auth-mesages", Some("auth-messages")),
            ("contxet", Some("context")),
            ("rtp-timer-name", None),
            ("", None),
        ];
        for (name, expected) in cases {
            assert_eq!(nearest(name, known.into_iter()), expected, "{name}");
        }
    }
}
