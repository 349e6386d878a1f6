use h3o::{CellIndex, Resolution};
use veilcast_protocol::LocationPrecision;

/// A region is some 45 km across, a city 6.5 km, a precise area 0.3 km.
const REGION: Resolution = Resolution::Four;
const CITY: Resolution = Resolution::Six;
const PRECISE: Resolution = Resolution::Nine;

/// Somewhere on earth, of one of four sizes. It says where somebody is, so it has no Debug.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Area {
    /// A country's two letters (ISO 3166-1).
    Country([u8; 2]),
    /// A cell of H3 of one of three resolutions.
    Cell(CellIndex),
}

impl Area {
    /// Reads an area that is to be of this size: one that is finer or coarser, or written in another way, is none.
    pub fn parse(precision: LocationPrecision, text: &str) -> Option<Self> {
        match precision {
            LocationPrecision::None => None,
            LocationPrecision::Country => country(text).map(Self::Country),
            LocationPrecision::Region => cell(REGION, text).map(Self::Cell),
            LocationPrecision::City => cell(CITY, text).map(Self::Cell),
            LocationPrecision::Precise => cell(PRECISE, text).map(Self::Cell),
        }
    }

    /// Its size.
    pub fn precision(self) -> LocationPrecision {
        match self {
            Self::Country(_) => LocationPrecision::Country,
            Self::Cell(cell) if cell.resolution() <= REGION => LocationPrecision::Region,
            Self::Cell(cell) if cell.resolution() <= CITY => LocationPrecision::City,
            Self::Cell(_) => LocationPrecision::Precise,
        }
    }

    /// As the wire has it.
    pub fn text(self) -> String {
        match self {
            Self::Country(letters) => letters.map(char::from).iter().collect(),
            Self::Cell(cell) => cell.to_string(),
        }
    }

    /// As the viewers' map may have it, before anybody is counted: what is precise is for whoever broadcasts.
    pub(crate) fn for_the_map(self) -> Self {
        match self {
            Self::Cell(cell) if cell.resolution() > CITY => Self::Cell(parent(cell, CITY)),
            coarse => coarse,
        }
    }

    /// The region that it lies in by its index, which is not where its centre lies: nothing is computed anew that could be compared.
    /// A country is in none.
    pub(crate) fn region(self) -> Self {
        match self {
            Self::Cell(cell) if cell.resolution() > REGION => Self::Cell(parent(cell, REGION)),
            whole => whole,
        }
    }
}

fn parent(cell: CellIndex, resolution: Resolution) -> CellIndex {
    // A cell has a parent at every coarser resolution.
    cell.parent(resolution).unwrap_or(cell)
}

fn cell(resolution: Resolution, text: &str) -> Option<CellIndex> {
    let digits = text.len() == 15 && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
    let bits = digits.then(|| u64::from_str_radix(text, 16).ok()).flatten()?;
    CellIndex::try_from(bits).ok().filter(|cell| cell.resolution() == resolution)
}

fn country(text: &str) -> Option<[u8; 2]> {
    let letters: [u8; 2] = text.as_bytes().try_into().ok()?;
    COUNTRIES.as_bytes().chunks(3).any(|known| known.starts_with(&letters)).then_some(letters)
}

/// The assigned codes of ISO 3166-1, and XK, which is what Kosovo goes by.
const COUNTRIES: &str = "\
AD AE AF AG AI AL AM AO AQ AR AS AT AU AW AX AZ BA BB BD BE BF BG BH BI BJ BL BM BN BO BQ BR BS BT BV BW BY BZ \
CA CC CD CF CG CH CI CK CL CM CN CO CR CU CV CW CX CY CZ DE DJ DK DM DO DZ EC EE EG EH ER ES ET FI FJ FK FM FO FR \
GA GB GD GE GF GG GH GI GL GM GN GP GQ GR GS GT GU GW GY HK HM HN HR HT HU ID IE IL IM IN IO IQ IR IS IT JE JM JO JP \
KE KG KH KI KM KN KP KR KW KY KZ LA LB LC LI LK LR LS LT LU LV LY MA MC MD ME MF MG MH MK ML MM MN MO MP MQ MR MS MT \
MU MV MW MX MY MZ NA NC NE NF NG NI NL NO NP NR NU NZ OM PA PE PF PG PH PK PL PM PN PR PS PT PW PY QA RE RO RS RU RW \
SA SB SC SD SE SG SH SI SJ SK SL SM SN SO SR SS ST SV SX SY SZ TC TD TF TG TH TJ TK TL TM TN TO TR TT TV TW TZ UA UG \
UM US UY UZ VA VC VE VG VI VN VU WF WS XK YE YT ZA ZM ZW";
