//! Passwords that are long and guessed all the same.

use std::collections::HashSet;
use std::sync::LazyLock;

/// What people choose most, in the order of published leaks: all of twelve characters and more that are among the first 30,000, and
/// of the shorter ones those that long ones are made of.
static PIECES: LazyLock<HashSet<&str>> =
    LazyLock::new(|| include_str!("common-passwords.txt").split_whitespace().collect());

/// Where fingers wander: rows of a keyboard, the alphabet, counting.
const ROWS: [&str; 4] = [
    "abcdefghijklmnopqrstuvwxyz",
    "qwertyuiopasdfghjklzxcvbnmqwertyuiop",
    "1234567890123456789012345678901234567890",
    "1qaz2wsx3edc4rfv5tgb6yhn7ujm8ik9ol0p",
];

/// Fewer different characters than this are no choice.
const LEAST_DIFFERENT: usize = 5;

/// Two of the usual pieces and some digits are among the first things that a guesser tries; three are a passphrase.
const USUAL_PIECES: usize = 2;

/// Longer than what anybody makes of usual pieces.
const LONGEST: usize = 64;

/// Whether guessers try this password early. Length is checked elsewhere.
pub(crate) fn is_common(password: &str) -> bool {
    let plain: String = password.chars().flat_map(char::to_lowercase).filter_map(letter).collect();
    let different = plain.chars().collect::<HashSet<_>>().len();
    if different < LEAST_DIFFERENT {
        // Of signs for the most part: it is they that count.
        let mostly_letters = plain.chars().count() * 2 > password.chars().count();
        return mostly_letters || password.chars().collect::<HashSet<_>>().len() < LEAST_DIFFERENT;
    }
    plain.len() <= LONGEST && (is_repeated(&plain) || is_row(&plain) || is_of_usual_pieces(&plain))
}

/// Signs between letters hide nothing from a guesser, nor do those that look like letters.
fn letter(c: char) -> Option<char> {
    match c {
        '@' => Some('a'),
        '$' => Some('s'),
        c if c.is_alphanumeric() => Some(c),
        _ => None,
    }
}

fn is_repeated(plain: &str) -> bool {
    let whole = plain.len();
    (1..=whole / 2).filter(|unit| whole.is_multiple_of(*unit)).any(|unit| {
        plain.is_char_boundary(unit) && { plain.as_bytes().chunks(unit).all(|part| part == &plain.as_bytes()[..unit]) }
    })
}

fn is_row(plain: &str) -> bool {
    let back: String = plain.chars().rev().collect();
    ROWS.iter().any(|row| row.contains(plain) || row.contains(&back))
}

/// Whether it is digits and at most [`USUAL_PIECES`] pieces, one after the other.
fn is_of_usual_pieces(plain: &str) -> bool {
    // For each place, how few pieces lead there.
    let mut fewest = vec![usize::MAX; plain.len() + 1];
    fewest[0] = 0;
    for start in 0..plain.len() {
        if fewest[start] > USUAL_PIECES {
            continue;
        }
        for end in start + 1..=plain.len() {
            let part = &plain.as_bytes()[start..end];
            let cost = match std::str::from_utf8(part) {
                Ok(text) if text.bytes().all(|byte| byte.is_ascii_digit()) => 0,
                Ok(text) if PIECES.contains(text) => 1,
                _ => continue,
            };
            fewest[end] = fewest[end].min(fewest[start].saturating_add(cost));
        }
    }
    fewest[plain.len()] <= USUAL_PIECES
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_guessers_try_first_is_refused() {
        let common = [
            "password1234",
            "Password!2024",
            "P@$$word-2024",
            "passwordpassword",
            "qwertyuiop123",
            "iloveyou12345",
            "123456789012",
            "qazwsxedcrfv",
            "aaaaaaaaaaaaaa",
            "abcdefghijklm",
            "mlkjihgfedcba",
            "letmeinletmein1",
            "dragon monkey 1",
        ];
        for password in common {
            assert!(is_common(password), "{password}");
        }
    }

    #[test]
    fn a_passphrase_is_welcome() {
        let good = [
            "correct horse battery",
            "a long enough secret",
            "long enough password",
            "kettle velvet orbit",
            "Jx7#qLp2vTz9",
            "!%&/()=?*+#-",
            "пароль из многих разных слов",
            "雲海山川風月花鳥虫魚草木",
        ];
        for password in good {
            assert!(!is_common(password), "{password}");
        }
    }
}
