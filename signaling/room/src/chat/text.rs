//! What may stand in a message or a name: text that can be read, and that stays where it was put.

use super::ChatRefusal;
use std::str::Chars;
use unicode_normalization::char::is_combining_mark;
use unicode_normalization::{Recompositions, UnicodeNormalization};
use unicode_security::skeleton;
use veilcast_protocol::{MAX_CHAT_NAME, MAX_CHAT_TEXT};

/// Marks upon one letter. Vietnamese and Hebrew need two, Tibetan three; a tower of them covers its neighbours.
const MARKS: usize = 3;

/// Names of things that a person is not. Compared word by word, as they look.
const CLAIMS: [&str; 12] = [
    "admin",
    "administrator",
    "bot",
    "host",
    "mod",
    "moderator",
    "official",
    "operator",
    "organiser",
    "staff",
    "system",
    "veilcast",
];

/// A message as it is told: one line, without what cannot be seen or turns the writing round.
pub(crate) fn message(said: &str) -> Result<String, ChatRefusal> {
    // Whatever is longer than this in bytes is longer in characters, too, and is not looked at.
    if said.len() > MAX_CHAT_TEXT * 4 {
        return Err(ChatRefusal::Text);
    }
    let text = plain(said.nfc());
    if text.is_empty() || text.chars().count() > MAX_CHAT_TEXT {
        return Err(ChatRefusal::Text);
    }
    Ok(text)
}

/// A name as it is told.
pub(crate) fn name(chosen: &str) -> Result<String, ChatRefusal> {
    if chosen.len() > MAX_CHAT_NAME * 8 {
        return Err(ChatRefusal::Name);
    }
    let name = plain(chosen.nfkc());
    let fits = |c: char| c.is_alphanumeric() || is_combining_mark(c) || " -_.'’".contains(c);
    let short = name.chars().count() <= MAX_CHAT_NAME;
    if short && name.chars().all(fits) && name.chars().any(char::is_alphanumeric) {
        Ok(name)
    } else {
        Err(ChatRefusal::Name)
    }
}

/// Whether a name claims to be somebody who looks after things.
pub(crate) fn claims(name: &str) -> bool {
    let claims = |word: &str| CLAIMS.iter().any(|claim| looks(word).iter().any(|look| looks(claim).contains(look)));
    name.split(|c: char| !c.is_alphanumeric() && !is_combining_mark(c)).filter(|word| !word.is_empty()).any(claims)
        || claims(name)
}

/// What a name looks like (UTS #39 section 4): as it is written, and in small letters. Two names that share one of these can be taken
/// for each other.
pub(crate) fn looks(name: &str) -> [String; 2] {
    let bare: String = name.chars().filter(|c| c.is_alphanumeric()).collect();
    let small = bare.to_lowercase();
    [skeleton(&bare).collect::<String>().to_lowercase(), skeleton(&small).collect::<String>().to_lowercase()]
}

fn plain(text: Recompositions<Chars<'_>>) -> String {
    let mut plain = String::new();
    let (mut marks, mut joined) = (0, false);
    for c in text {
        let blank = c.is_whitespace();
        if blank && !plain.is_empty() && !plain.ends_with(' ') {
            plain.push(' ');
        }
        if blank || is_unseen(c) {
            continue;
        }
        let joins = matches!(c, '\u{200c}' | '\u{200d}');
        if joins && (joined || plain.is_empty() || plain.ends_with(' ')) {
            continue;
        }
        joined = joins;
        // A mark with nothing under it stands upon whatever is before the message.
        marks = if is_combining_mark(c) { marks + 1 } else { 0 };
        if marks > MARKS || marks > 0 && (plain.is_empty() || plain.ends_with(' ')) {
            continue;
        }
        plain.push(c);
    }
    let kept = plain.trim_end_matches([' ', '\u{200c}', '\u{200d}']).len();
    plain.truncate(kept);
    plain
}

/// Controls, what turns the direction of writing, what fills a line with nothing, and what every font shows differently. The two
/// joiners stay: emoji and Persian need them.
fn is_unseen(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}'..='\u{1160}' | '\u{17b4}'..='\u{17b5}' | '\u{180b}'..='\u{180f}'
            | '\u{200b}' | '\u{200e}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{2800}'
            | '\u{3164}' | '\u{fe00}'..='\u{fe0e}' | '\u{feff}' | '\u{ffa0}' | '\u{fff0}'..='\u{ffff}'
            | '\u{e000}'..='\u{f8ff}' | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{10ffff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_is_one_line_of_what_can_be_seen() {
        let clean = |said| message(said).ok();
        assert_eq!(clean("  one\n\ttwo\u{7} \u{1b}[31m").as_deref(), Some("one two [31m"));
        assert_eq!(clean("\u{202e}gnp.exe\u{2066}\u{200f}").as_deref(), Some("gnp.exe"), "nothing turns the writing");
        assert_eq!(clean("a\u{200b}\u{feff}\u{e0041}b").as_deref(), Some("ab"));
        assert_eq!(clean("👩\u{200d}👩\u{200d}👧 ❤\u{fe0f}").as_deref(), Some("👩\u{200d}👩\u{200d}👧 ❤\u{fe0f}"));
        assert_eq!(clean("می\u{200c}خواهم").as_deref(), Some("می\u{200c}خواهم"));
        assert_eq!(clean("שָׁלוֹם").as_deref(), Some("שָׁלוֹם".nfc().collect::<String>()).as_deref());
        for nothing in ["", " \n", "\u{200d}\u{200d}", "\u{3164}", "\u{301}\u{301}", "\u{e000}"] {
            assert_eq!(message(nothing), Err(ChatRefusal::Text), "{nothing:?}");
        }
        assert_eq!(message(&"é".repeat(501)), Err(ChatRefusal::Text));
        assert_eq!(clean(&"😀".repeat(500)).map(|text| text.len()), Some(2_000));
    }

    #[test]
    fn towers_of_marks_are_taken_down() {
        let tower = format!("z{}a", "\u{300}\u{301}\u{302}\u{316}\u{317}".repeat(40));
        let marks = message(&tower).expect("a message").chars().filter(|c| is_combining_mark(*c)).count();
        assert!(marks <= MARKS, "{marks}");
    }

    #[test]
    fn names_are_words() {
        assert_eq!(name(" Ada   Lovelace ").as_deref(), Ok("Ada Lovelace"));
        assert_eq!(name("ｆｕｌｌ").as_deref(), Ok("full"), "one form");
        assert_eq!(name("Zoë O’Hara-Smith").as_deref(), Ok("Zoë O’Hara-Smith"));
        for unfit in ["", "...", "a@b", "<b>", "✓ Ada", "👑", &"a".repeat(25)] {
            assert_eq!(name(unfit), Err(ChatRefusal::Name), "{unfit}");
        }
    }

    #[test]
    fn names_that_look_alike_are_the_same() {
        let alike = |a: &str, b: &str| looks(a).iter().any(|look| looks(b).contains(look));
        for (a, b) in
            [("Alice", "alice"), ("Alice", "АІice"), ("Alice", "AIice"), ("paypal", "раураl"), ("Ada", "A.d a")]
        {
            assert!(alike(a, b), "{a} {b}");
        }
        assert!(!alike("Alice", "Bob") && !alike("Anna", "Anna 2"));
    }

    #[test]
    fn nobody_is_called_what_they_are_not() {
        for claim in ["Moderator", "The Host", "m0derator", "ΗOST", "Veilcast Staff", "A D M I N", "h.o.s.t"] {
            assert!(claims(claim), "{claim}");
        }
        for fine in ["Ghost", "Modesty", "Boten", "Ada"] {
            assert!(!claims(fine), "{fine}");
        }
    }
}
