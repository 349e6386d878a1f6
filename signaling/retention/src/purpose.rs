/// What something is kept for.
///
/// The first kind is needed: nobody is asked, because without it the server could not do what people came for, or could not be
/// run. The second kind is asked for, and lives in the table of what is asked.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Purpose {
    /// Bringing picture and sound from those on stage to those who watch.
    Relay,
    /// Letting in whom an event is for, and recognising people who have an account.
    Access,
    /// Making and keeping events.
    Events,
    /// Slowing down whoever guesses, floods or crowds.
    Throttling,
    /// Keeping out whom a moderator has put out.
    Bans,
    /// Noticing attacks, and telling the person concerned and the operator.
    Security,
    /// Running the server: its keys, its certificates, its figures.
    Operation,
    /// Seeing what went wrong at an event.
    Faults,
    /// Remembering what somebody agreed to.
    Choices,
    /// One that is asked for, by its name in the table of what is asked.
    Asked(&'static str),
}

/// What permits it (GDPR, article 6(1)).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Basis {
    /// (a): the person agreed, and may withdraw at any time.
    Consent,
    /// (b): it is what the person asked for.
    Contract,
    /// (c): the law demands it: proof of what was agreed (GDPR, article 7(1)).
    Obligation,
    /// (f): an interest of ours or of others that weighs more here; the person may object.
    Interest,
}

impl Basis {
    /// As machines read it: the letter of article 6(1).
    pub const fn name(self) -> &'static str {
        match self {
            Self::Consent => "6(1)(a)",
            Self::Contract => "6(1)(b)",
            Self::Obligation => "6(1)(c)",
            Self::Interest => "6(1)(f)",
        }
    }
}

impl Purpose {
    /// What nobody is asked about, in the order of the page.
    pub const NEEDED: [Self; 9] = [
        Self::Relay,
        Self::Access,
        Self::Events,
        Self::Throttling,
        Self::Bans,
        Self::Security,
        Self::Operation,
        Self::Faults,
        Self::Choices,
    ];

    /// As machines read it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Relay => "relay",
            Self::Access => "access",
            Self::Events => "events",
            Self::Throttling => "throttling",
            Self::Bans => "bans",
            Self::Security => "security",
            Self::Operation => "operation",
            Self::Faults => "faults",
            Self::Choices => "choices",
            Self::Asked(name) => name,
        }
    }

    /// What permits it.
    pub const fn basis(self) -> Basis {
        match self {
            Self::Relay | Self::Access | Self::Events => Basis::Contract,
            Self::Throttling | Self::Bans | Self::Security | Self::Operation | Self::Faults => Basis::Interest,
            Self::Choices => Basis::Obligation,
            Self::Asked(_) => Basis::Consent,
        }
    }

    /// In plain words, for what is needed; what is asked for has words of its own, which are shown when it is asked.
    pub const fn words(self) -> &'static str {
        match self {
            Self::Relay => "Bringing picture and sound from those on stage to you.",
            Self::Access => "Letting in whom an event is for, and recognising you if you have an account.",
            Self::Events => "Making events and showing them.",
            Self::Throttling => "Slowing down whoever guesses passwords, floods or crowds others out.",
            Self::Bans => "Keeping out whom a moderator has put out for good.",
            Self::Security => "Noticing attacks and stolen keys, and telling the person concerned and the operator.",
            Self::Operation => {
                "Running the server: its keys, its certificates and its figures, which are about nobody."
            }
            Self::Faults => "Seeing what went wrong at an event, without seeing who was there.",
            Self::Choices => "Proving what you agreed to, and to which words.",
            Self::Asked(_) => "",
        }
    }

    /// Who gets to see it, for what is needed.
    pub const fn who(self) -> &'static str {
        match self {
            Self::Relay => "Those who are at the event see and hear it; your address is seen by this server alone.",
            Self::Access => "You, and whoever runs this server, who sees no password and no key.",
            Self::Events => "Those whom the event is for, and whoever looks after it.",
            Self::Throttling => "Nobody: this server counts codes by itself.",
            Self::Bans => "Whoever looks after the event.",
            Self::Security => "The person whose account it is; whoever runs this server sees kinds and numbers.",
            Self::Operation => "Whoever runs this server.",
            Self::Faults => "Whoever runs this server, under names that mean nothing and last for a day.",
            Self::Choices => "You, and whoever runs this server where it has to be proven.",
            Self::Asked(_) => "",
        }
    }

    /// Of the words of what is needed: which, and since when. Raise it with a change of them.
    pub const fn version(self) -> (u32, &'static str) {
        (1, "2026-11-22")
    }

    /// Why it weighs more than a person's interest in its absence, and what objecting does (GDPR, article 21). Empty where there
    /// is nothing to object to: what a person asked for ends when they leave.
    pub const fn objection(self) -> &'static str {
        match self {
            Self::Throttling => {
                "Without it one guesser could try millions of passwords. It holds codes instead of addresses and forgets them \
                 within minutes. You may object to whoever runs this server; since nothing in it can be told to be yours, there \
                 is nothing to look up or to take out, and waiting ten minutes does the same."
            }
            Self::Bans => {
                "Those who stay have a right to an event without whoever disturbed it. A ban holds a code of that event alone. \
                 You may object to whoever runs the event or this server, who can lift it at once."
            }
            Self::Security => {
                "Attacks that nobody notices hurt those who did nothing. Only kinds and numbers by the hour are kept, and an account's own \
                 history for its person. You may object to whoever runs this server; erasing the account erases its history."
            }
            Self::Operation => {
                "A server cannot be run without keys and some figures. They are about no person, so that there is nothing of yours \
                 to object to."
            }
            Self::Faults => {
                "Whoever runs a server that nobody can look into can help nobody. What is noted is of five people or more, under names that \
                 last for a day, and nobody can read it afterwards. You may object to whoever runs this server, who can switch it off; \
                 since nothing in it can be told to be yours, there is nothing to look up or to take out."
            }
            _ => "",
        }
    }
}
