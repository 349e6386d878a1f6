//! What may stand in a message or a name: text that can be read, and that stays where it was put.

use super::ChatRefusal;
use std::str::Chars;
use unicode_normalization::char::is_combining_mark;
use unicode_normalization::{Recompositions, UnicodeNormalization};
use unicode_security::skeleton;
use veilcast_protocol::{MAX_CHAT_NAME, MAX_CHAT_TEXT};

/// Marks upon one letter. Vietnamese and Hebrew need two, Tibetan three; a tower of them covers its neighbours.
pub(crate) const MARKS: usize = 3;

/// Names of things that a person is not. Compared word by word, as they look.
const CLAIMS: [&str; 15] = [
    "admin",
    "administrator",
    "bot",
    "broadcaster",
    "cohost",
    "host",
    "mod",
    "moderator",
    "official",
    "operator",
    "organiser",
    "organizer",
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
    let fits = |c: char| (c.is_alphanumeric() && !is_sign(c)) || is_combining_mark(c) || " -_.'’".contains(c);
    let short = name.chars().count() <= MAX_CHAT_NAME;
    if short && name.chars().all(fits) && name.chars().any(char::is_alphanumeric) {
        Ok(name)
    } else {
        Err(ChatRefusal::Name)
    }
}

/// Whether a name claims to be somebody who looks after things.
pub(crate) fn claims(name: &str) -> bool {
    let is_one = |word: &str| CLAIMS.iter().any(|claim| looks(word).iter().any(|look| looks(claim).contains(look)));
    // "Ádmin" and "Admin1" claim the same.
    let claims = |word: &str| is_one(word) || is_one(bare(word).trim_matches(char::is_numeric));
    name.split(|c: char| !c.is_alphanumeric() && !is_combining_mark(c)).filter(|word| !word.is_empty()).any(claims)
        || claims(name)
}

/// What a name looks like (UTS #39 section 4): as it is written, and in small letters. Two names that share one of these can be taken
/// for each other.
pub(crate) fn looks(name: &str) -> [String; 2] {
    let letters: String = name.chars().filter(|c| c.is_alphanumeric()).map(plain_letter).collect();
    let small = letters.to_lowercase();
    [skeleton(&letters).collect::<String>().to_lowercase(), skeleton(&small).collect::<String>().to_lowercase()]
}

/// Without what stands upon the letters.
fn bare(word: &str) -> String {
    word.nfd().filter(|c| !is_combining_mark(*c)).collect()
}

/// Capitals as high as small letters, which no table of confusables has.
fn plain_letter(c: char) -> char {
    const SMALL_CAPITALS: [(char, char); 24] = [
        ('ᴀ', 'a'),
        ('ʙ', 'b'),
        ('ᴄ', 'c'),
        ('ᴅ', 'd'),
        ('ᴇ', 'e'),
        ('ꜰ', 'f'),
        ('ɢ', 'g'),
        ('ʜ', 'h'),
        ('ɪ', 'i'),
        ('ᴊ', 'j'),
        ('ᴋ', 'k'),
        ('ʟ', 'l'),
        ('ᴍ', 'm'),
        ('ɴ', 'n'),
        ('ᴏ', 'o'),
        ('ᴘ', 'p'),
        ('ʀ', 'r'),
        ('ꜱ', 's'),
        ('ᴛ', 't'),
        ('ᴜ', 'u'),
        ('ᴠ', 'v'),
        ('ᴡ', 'w'),
        ('ʏ', 'y'),
        ('ᴢ', 'z'),
    ];
    SMALL_CAPITALS.iter().find(|(small, _)| *small == c).map_or(c, |(_, letter)| *letter)
}

/// Letters in black circles and squares are letters to Unicode, and have no other form.
fn is_sign(c: char) -> bool {
    matches!(c, '\u{1f150}'..='\u{1f169}' | '\u{1f170}'..='\u{1f189}')
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
pub(crate) fn is_unseen(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}'..='\u{1160}' | '\u{17b4}'..='\u{17b5}' | '\u{180b}'..='\u{180f}'
            | '\u{200b}' | '\u{200e}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{2800}'
            | '\u{3164}' | '\u{fe00}'..='\u{fe0e}' | '\u{feff}' | '\u{ffa0}' | '\u{fff0}'..='\u{ffff}'
            | '\u{e000}'..='\u{f8ff}' | '\u{13430}'..='\u{1345f}' | '\u{1bca0}'..='\u{1bca3}' | '\u{1d159}' | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{10ffff}')
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
        for (a, b) in [
            ("Alice", "alice"),
            ("Alice", "АІice"),
            ("Alice", "AIice"),
            ("paypal", "раураl"),
            ("Ada", "A.d a"),
            ("Alice", "ᴀʟɪᴄᴇ"),
        ] {
            assert!(alike(a, b), "{a} {b}");
        }
        assert!(!alike("Alice", "Bob") && !alike("Anna", "Anna 2"));
    }

    #[test]
    fn nobody_is_called_what_they_are_not() {
        let plain =
            ["Moderator", "The Host", "m0derator", "ΗOST", "Veilcast Staff", "A D M I N", "h.o.s.t", "Organizer"];
        let dressed = ["Ádmin", "Möd", "H\u{323}ost", "Admin1", "2 mod", "ᴀᴅᴍɪɴ", "ᴍoᴅ", "Co-Host"];
        for claim in plain.into_iter().chain(dressed) {
            assert!(claims(claim), "{claim}");
        }
        for fine in ["Ghost", "Modesty", "Boten", "Ada", "Zoë", "2001", "Ná"] {
            assert!(!claims(fine), "{fine}");
        }
        for sign in ["🅰🅳🅼🅸🅽", "🅜od"] {
            assert_eq!(name(sign), Err(ChatRefusal::Name), "{sign}");
        }
    }
}
