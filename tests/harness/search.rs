//! Many patterns in much memory.

use std::collections::HashMap;

/// Which of `forms` are in `place`. Some places are hundreds of megabytes, so they are read once: where no form begins with the next
/// two bytes, there is nothing to compare.
pub fn holds(forms: &[&[u8]], place: &[u8]) -> Vec<bool> {
    let mut beginning: HashMap<[u8; 2], Vec<usize>> = HashMap::new();
    let mut begins = vec![false; 1 << 16];
    for (number, form) in forms.iter().enumerate() {
        beginning.entry([form[0], form[1]]).or_default().push(number);
        begins[usize::from(u16::from_be_bytes([form[0], form[1]]))] = true;
    }
    let mut seen = vec![false; forms.len()];
    for (at, pair) in place.windows(2).enumerate() {
        if begins[usize::from(u16::from_be_bytes([pair[0], pair[1]]))] {
            for number in &beginning[&[pair[0], pair[1]]] {
                seen[*number] |= place[at..].starts_with(forms[*number]);
            }
        }
    }
    seen
}
