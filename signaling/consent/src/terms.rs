use crate::Purpose;

/// What somebody is told before they choose. A change of any of it is another version, and asks again.
#[derive(Debug)]
pub struct Terms {
    /// See [`Purpose::name`].
    pub name: &'static str,
    /// Counts up. A grant of another version is void.
    pub version: u32,
    /// The date of this version, `YYYY-MM-DD`.
    pub since: &'static str,
    /// The question, in a few words.
    pub title: &'static str,
    /// What is processed.
    pub what: &'static str,
    /// Who gets to see it.
    pub who: &'static str,
    /// For how long.
    pub how_long: &'static str,
    /// What refusing costs.
    pub refusing: &'static str,
    /// What no withdrawal undoes, where there is something.
    pub remains: Option<&'static str>,
}

impl Terms {
    /// Those in force.
    pub const fn of(purpose: Purpose) -> &'static Self {
        match purpose {
            Purpose::Chat => &TABLE[0],
            Purpose::Presence => &TABLE[1],
            Purpose::Location => &TABLE[2],
            Purpose::Analytics => &TABLE[3],
            Purpose::Personalisation => &TABLE[4],
            Purpose::Added(added) => added.terms(),
        }
    }

    /// The exact text in English, as it is hashed into a receipt: the title and every sentence, one a line.
    pub fn text(&self) -> String {
        let sentences = [self.what, self.who, self.how_long, self.refusing];
        let lines = [self.title].into_iter().chain(sentences).chain(self.remains);
        lines.collect::<Vec<_>>().join("\n")
    }
}

const TABLE: [Terms; Purpose::BUILT_IN.len()] = [
    Terms {
        name: "chat",
        version: 1,
        since: "2026-11-22",
        title: "Take part in the chat?",
        what: "The name you choose for this event, and what you write and react with.",
        who: "Everybody who takes part in this chat, and whoever looks after the event.",
        how_long: "Until ten minutes after the event, four hours at most, or until you delete it or withdraw.",
        refusing: "You watch as before; you neither read nor write in the chat.",
        remains: Some(
            "Withdrawing clears it from every screen that runs our player; a photograph of a screen stays. Without an account, that works while this page is open, and later with a receipt that you keep.",
        ),
    },
    Terms {
        name: "presence",
        version: 1,
        since: "2026-11-22",
        title: "Be listed by name?",
        what: "The name you choose for this event stands in the list of those who are here.",
        who: "Everybody who has agreed to be listed, and whoever looks after the event.",
        how_long: "While you are here, or until you withdraw. Nobody is told when you come or go.",
        refusing: "You are one of a number that is rounded.",
        remains: None,
    },
    Terms {
        name: "location",
        version: 1,
        since: "2026-11-22",
        title: "Show roughly where you are?",
        what: "A cell of a map, as coarse as you choose. Your browser works it out; your coordinates stay on your device.",
        who: "Whoever broadcasts the event; viewers see shades of areas where five or more share. If you broadcast yourself: everybody who watches.",
        how_long: "For as long as you choose, or until you stop. Only the present cell is kept, in memory.",
        refusing: "Nothing is missing for you.",
        remains: Some("Stopping clears it from the screens that show it; a photograph of a screen stays."),
    },
    Terms {
        name: "analytics",
        version: 1,
        since: "2026-11-22",
        title: "Count towards this event’s figures?",
        what: "From your yes on: that you took part, how well the picture arrived, and whether your line or something here failed; each as one of a number to which noise is added.",
        who: "Whoever runs this server, after the event, as noisy totals.",
        how_long: "In memory until the event is over; only the noisy totals stay.",
        refusing: "Nothing changes for you.",
        remains: Some("A total that has been published stays as it is; it does not tell whether you were in it."),
    },
    Terms {
        name: "personalisation",
        version: 1,
        since: "2026-11-22",
        title: "Have your choices remembered?",
        what: "Your volume and the best picture quality that you want, on this device.",
        who: "Nobody: it never leaves your device.",
        how_long: "For ninety days after your last visit, or until you turn it off.",
        refusing: "You choose them again next time.",
        remains: None,
    },
];
