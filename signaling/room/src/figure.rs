//! How many, as anybody may know it: the one function that every figure of an event goes through.

/// Fewer are not told apart from none.
const LEAST: u32 = 5;

/// A number of people as it was told last.
///
/// "Fewer than five", then multiples of five, from a hundred on two digits that count. It follows only when the number has moved past
/// an edge by a fifth of a step, so that one person who comes and goes at an edge does not show; and it is looked at on a fixed
/// tick, so that the moment of a change is nobody's.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
pub struct Figure(u32);

impl Figure {
    /// Looks at the number that there is. Whether another is told from now on.
    pub const fn follow(&mut self, exact: u32) -> bool {
        let before = self.0;
        let step = step(before);
        // Where it was rounded down, the next edge is a step above. Fewer than five are hidden at once.
        let low = before.saturating_sub(step_of(before.saturating_sub(1)) / 5);
        let high = before.saturating_add(step).saturating_add(step / 5);
        if exact < LEAST {
            self.0 = 0;
        } else if exact < low || exact >= high {
            self.0 = exact - exact % step_of(exact);
        }
        self.0 != before
    }

    /// What is told; `None`: fewer than five.
    pub const fn told(self) -> Option<u32> {
        if self.0 < LEAST { None } else { Some(self.0) }
    }
}

/// How far it is to the next number that is told.
const fn step(told: u32) -> u32 {
    step_of(if told < LEAST { LEAST } else { told })
}

/// Of two digits that count, and never finer than five.
const fn step_of(number: u32) -> u32 {
    if number < 100 {
        return LEAST;
    }
    let mut step = 10;
    while number / step >= 100 {
        step *= 10;
    }
    step
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(exact: u32) -> Option<u32> {
        let mut figure = Figure::default();
        figure.follow(exact);
        figure.told()
    }

    #[test]
    fn numbers_are_rough() {
        let rough: Vec<_> = [0, 1, 4, 6, 9, 14, 49, 53, 99, 104, 999, 1_234, 98_765].into_iter().map(told).collect();
        let expected = [0, 0, 0, 5, 5, 10, 45, 50, 95, 100, 990, 1_200, 98_000];
        assert_eq!(rough, expected.map(|number| (number > 0).then_some(number)));
    }

    #[test]
    fn one_person_at_an_edge_does_not_show() {
        for edge in [10, 45, 50, 100, 110, 1_000, 1_100] {
            let mut figure = Figure::default();
            figure.follow(edge - 1);
            let before = figure.told();
            let changes = (0..50).filter(|turn| figure.follow(edge - turn % 2)).count();
            assert!(changes <= 1 && figure.told() <= Some(edge), "{edge}: {changes} from {before:?}");
            let mut figure = Figure::default();
            figure.follow(edge + edge / 5 + 1);
            figure.follow(edge);
            let changes = (0..50).filter(|turn| figure.follow(edge - turn % 2)).count();
            assert_eq!(changes, 0, "{edge}");
        }
    }

    #[test]
    fn fewer_than_five_are_never_told() {
        let mut figure = Figure::default();
        for exact in [6, 5, 4, 5, 3, 40, 4] {
            figure.follow(exact);
            assert!(figure.told().is_none_or(|told| told <= exact && exact >= 5), "{exact} {figure:?}");
        }
    }

    #[test]
    fn it_arrives_where_it_should() {
        let mut figure = Figure::default();
        for exact in (0..3_000).chain((0..3_000).rev()) {
            figure.follow(exact);
            let off = figure.told().unwrap_or(0).abs_diff(exact);
            assert!(off <= step_of(exact.max(5)) * 6 / 5 + 1, "{exact} as {figure:?}");
        }
    }
}
