//! Where people are, as coarsely as each of them chose.
//!
//! Of everybody who shares, the present area is kept and none before it. Whoever broadcasts sees one entry for each of them; viewers
//! see those who broadcast, and a map of areas with five people or more. Nobody sees one person at two precisions.

mod area;
mod map;
mod share;
mod show;

pub use area::Area;
pub(crate) use map::Shaded;
pub(crate) use share::Shares;
pub use share::{Showing, Unshown};

use std::time::Duration;

/// An area follows another no sooner, whatever a device says, and whether sharing was stopped in between or not.
pub const AREA_REST: Duration = Duration::from_secs(300);

/// Between two states of the map, and between two tellings of everything to whoever broadcasts: nothing that anybody does
/// changes when they come.
pub const MAP_TICK: Duration = Duration::from_secs(30);

/// So many people, or the map has nothing there.
pub const MAP_LEAST: usize = 5;
