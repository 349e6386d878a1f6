//! The Dependency Descriptor (RTP Payload Format For AV1, appendix A).

use super::bits::Bits;
use super::{FrameInfo, MaskPlace, Scale, TOP_TEMPORAL};

/// Limits of the format: 6-bit template numbers, 5-bit counts, spatial layers as AV1 has them.
const MAX_TEMPLATES: usize = 64;
const MAX_TARGETS: usize = 32;
const MAX_SPATIAL: u8 = 3;
/// The mandatory fields: start, end, template, frame number.
const MANDATORY: usize = 3;

/// What a frame is to each decode target: two bits for each, the first target lowest.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(crate) struct Indications(u64);

/// What a frame is to one decode target.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Indication {
    /// Not part of it.
    NotPresent,
    /// Part of it, but nothing refers to it there.
    Discardable,
    /// From here on the target can be decoded, if this frame can.
    Switch,
    /// Part of it, and others refer to it.
    Required,
}

impl Indications {
    fn read(bits: &mut Bits<'_>, targets: u8) -> Option<Self> {
        let mut all = 0;
        for target in 0..targets {
            all |= u64::from(bits.take(2)?) << (2 * target);
        }
        Some(Self(all))
    }

    pub(crate) const fn of(self, target: u8) -> Indication {
        match self.0 >> (2 * target) & 3 {
            0 => Indication::NotPresent,
            1 => Indication::Discardable,
            2 => Indication::Switch,
            _ => Indication::Required,
        }
    }

    /// Present somewhere, referred to nowhere.
    const fn is_discardable(self) -> bool {
        const HIGH: u64 = 0xaaaa_aaaa_aaaa_aaaa;
        self.0 != 0 && self.0 & HIGH == 0
    }
}

/// The highest layers of each decode target.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(crate) struct Targets {
    count: u8,
    layers: [Scale; MAX_TARGETS],
}

impl Targets {
    fn all(&self) -> impl Iterator<Item = (u8, Scale)> + '_ {
        (0..self.count).zip(self.layers)
    }

    /// The targets that can be decoded from these layers, as `active_decode_targets_bitmask`. `None` if that is all of
    /// them, so that there is nothing to say, or none, so that there is nothing true to say.
    pub(crate) fn mask(&self, layers: Scale) -> Option<u32> {
        let within = |of: &Scale| of.spatial <= layers.spatial && of.temporal <= layers.temporal;
        let mask = self.all().filter(|(_, of)| within(of)).fold(0, |mask, (target, _)| mask | 1_u32 << target);
        (mask != 0 && mask != every(self.count)).then_some(mask)
    }
}

/// The mask of so many targets.
const fn every(targets: u8) -> u32 {
    if targets >= 32 { u32::MAX } else { (1 << targets) - 1 }
}

/// What all frames of one kind share.
#[derive(Clone, Copy, Debug, Default)]
struct Template {
    layers: Scale,
    indications: Indications,
    /// Distance to the farthest frame that is referred to; 0 if there is none.
    reach: u16,
}

/// A template dependency structure.
#[derive(Default)]
struct Structure {
    offset: u8,
    targets: Targets,
    templates: Vec<Template>,
    chains: u8,
    /// For every template and chain, the distance to the chain's last frame.
    chain_diffs: Vec<u8>,
}

/// One packet's descriptor.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Descriptor {
    /// Frame number.
    pub(crate) frame: u16,
    /// First packet of its frame.
    pub(crate) start: bool,
    /// Last packet of its frame.
    pub(crate) end: bool,
    /// Where the frame belongs.
    pub(crate) layers: Scale,
    /// What the frame is to each target.
    pub(crate) indications: Indications,
    /// Distance to the farthest frame that it refers to; 0 for an intra frame.
    pub(crate) reach: u16,
    /// Carries a template dependency structure.
    pub(crate) structure: bool,
    /// Where the mask of active targets is or belongs.
    pub(crate) mask: MaskPlace,
    /// Distance to the last frame of each chain.
    chain_diffs: [u8; MAX_TARGETS],
    chains: u8,
}

impl Descriptor {
    /// Distance to the last frame of each chain; 0 where the frame begins it.
    #[cfg(test)]
    pub(crate) fn chain_diffs(&self) -> &[u8] {
        &self.chain_diffs[..usize::from(self.chains)]
    }
}

/// What the descriptors of one stream have said so far.
#[derive(Default)]
pub(crate) struct Templates {
    structure: Structure,
    /// Targets that the sender produces at present.
    active: u32,
    /// Number of the latest frame that began a coded video sequence.
    key_frame: Option<u16>,
}

impl Templates {
    /// Reads one descriptor, keeping the structure it may carry. `None` if it is malformed, or refers to a
    /// template of a structure that has not come.
    pub(crate) fn read(&mut self, bytes: &[u8]) -> Option<FrameInfo> {
        self.descriptor(bytes).map(|descriptor| self.classify(&descriptor))
    }

    /// The decode targets of the latest structure.
    pub(crate) const fn targets(&self) -> &Targets {
        &self.structure.targets
    }

    /// The highest layers that the sender produces at present; `None` before a structure has come.
    #[cfg(test)]
    pub(crate) fn layers(&self) -> Option<Scale> {
        let targets = &self.structure.targets;
        let active = targets.all().filter(|(target, _)| self.active >> target & 1 == 1);
        active.map(|(_, layers)| layers).reduce(Scale::max_each)
    }

    /// Reads one descriptor in full.
    pub(crate) fn descriptor(&mut self, bytes: &[u8]) -> Option<Descriptor> {
        let mut bits = Bits::new(bytes);
        let (start, end) = (bits.flag()?, bits.flag()?);
        let template = bits.take(6)? as u8;
        let frame = bits.take(16)? as u16;
        let extended = bytes.len() > MANDATORY;
        let mut flags = [false; 5];
        if extended {
            for flag in &mut flags {
                *flag = bits.flag()?;
            }
        }
        let [structure, mask, indications, diffs, chains] = flags;
        let attached = if structure { Some(Structure::read(&mut bits)?) } else { None };
        let place = bits.position();
        let known = attached.as_ref().unwrap_or(&self.structure);
        let targets = known.targets.count;
        let active = if mask { Some(bits.take(u32::from(targets))?) } else { structure.then_some(every(targets)) };
        let mut descriptor = known.frame(template)?;
        if indications {
            descriptor.indications = Indications::read(&mut bits, targets)?;
        }
        if diffs {
            descriptor.reach = read_diffs(&mut bits)?;
        }
        if chains {
            for diff in &mut descriptor.chain_diffs[..usize::from(known.chains)] {
                *diff = bits.take(8)? as u8;
            }
        }
        // Nothing is kept of a descriptor that turns out malformed.
        if let Some(attached) = attached {
            self.structure = attached;
        }
        self.active = active.unwrap_or(self.active);
        let at = if extended { place as u16 } else { 0 };
        Some(Descriptor { frame, start, end, structure, mask: MaskPlace { at, targets, present: mask }, ..descriptor })
    }

    fn classify(&mut self, descriptor: &Descriptor) -> FrameInfo {
        let Descriptor { frame, start, end, layers, indications, reach, structure, mask, .. } = *descriptor;
        // A structure comes with the first packet of a frame that begins a coded video sequence; the frame's other
        // packets are known by its number.
        if structure && reach == 0 {
            self.key_frame = Some(frame);
        }
        let key = reach == 0 && self.key_frame == Some(frame);
        let targets = &self.structure.targets;
        let switch_to = targets
            .all()
            .filter(|(target, of)| of.spatial == layers.spatial && indications.of(*target) == Indication::Switch)
            .map(|(_, of)| of.temporal)
            .max();
        let mut above =
            targets.all().filter(|(_, of)| of.spatial > layers.spatial && of.temporal >= layers.temporal).peekable();
        let lone = above.peek().is_some() && above.all(|(target, _)| indications.of(target) == Indication::NotPresent);
        FrameInfo {
            key,
            start,
            end,
            spatial: layers.spatial,
            temporal: layers.temporal,
            switch_from: layers.temporal,
            switch_to: if key { TOP_TEMPORAL } else { switch_to.unwrap_or(0) },
            discardable: indications.is_discardable(),
            lone,
            mask,
        }
    }
}

impl Structure {
    fn read(bits: &mut Bits<'_>) -> Option<Self> {
        let offset = bits.take(6)? as u8;
        let count = bits.take(5)? as u8 + 1;
        let mut templates = read_layers(bits)?;
        for template in &mut templates {
            template.indications = Indications::read(bits, count)?;
        }
        for template in &mut templates {
            while bits.flag()? {
                template.reach = template.reach.max(bits.take(4)? as u16 + 1);
            }
        }
        let chains = bits.below(u32::from(count) + 1)? as u8;
        let mut chain_diffs = Vec::new();
        if chains > 0 {
            for _ in 0..count {
                // Which chain protects the target.
                bits.below(u32::from(chains))?;
            }
            for _ in 0..templates.len() * usize::from(chains) {
                chain_diffs.push(bits.take(4)? as u8);
            }
        }
        if bits.flag()? {
            // Width and height of each spatial layer.
            for _ in 0..=templates.last()?.layers.spatial {
                bits.take(32)?;
            }
        }
        let targets = target_layers(count, &templates);
        Some(Self { offset, targets, templates, chains, chain_diffs })
    }

    /// What a template says of its frames.
    fn frame(&self, template: u8) -> Option<Descriptor> {
        let index = usize::from(template.wrapping_sub(self.offset) & 0x3f);
        let Template { layers, indications, reach } = *self.templates.get(index)?;
        let chains = usize::from(self.chains);
        let mut chain_diffs = [0; MAX_TARGETS];
        chain_diffs.get_mut(..chains)?.copy_from_slice(self.chain_diffs.get(index * chains..(index + 1) * chains)?);
        Some(Descriptor {
            frame: 0,
            start: false,
            end: false,
            layers,
            indications,
            reach,
            structure: false,
            mask: MaskPlace::default(),
            chain_diffs,
            chains: self.chains,
        })
    }
}

fn read_layers(bits: &mut Bits<'_>) -> Option<Vec<Template>> {
    let mut layers = Scale::default();
    let mut templates = Vec::with_capacity(8);
    loop {
        if templates.len() == MAX_TEMPLATES || layers.spatial > MAX_SPATIAL || layers.temporal > TOP_TEMPORAL {
            return None;
        }
        templates.push(Template { layers, ..Template::default() });
        match bits.take(2)? {
            0 => {}
            1 => layers.temporal += 1,
            2 => layers = Scale { spatial: layers.spatial + 1, temporal: 0 },
            _ => return Some(templates),
        }
    }
}

/// The custom differences of one frame: the farthest.
fn read_diffs(bits: &mut Bits<'_>) -> Option<u16> {
    let mut reach = 0;
    loop {
        match bits.take(2)? {
            0 => return Some(reach),
            nibbles => reach = reach.max(bits.take(4 * nibbles)? as u16 + 1),
        }
    }
}

/// A target's layers are the highest of the frames that it holds (appendix A.8.2, `decode_target_layers`).
fn target_layers(count: u8, templates: &[Template]) -> Targets {
    let mut targets = Targets { count, ..Targets::default() };
    for (target, layers) in (0..count).zip(&mut targets.layers) {
        let held = templates.iter().filter(|template| template.indications.of(target) != Indication::NotPresent);
        *layers = held.fold(Scale::default(), |highest, template| highest.max_each(template.layers));
    }
    targets
}

#[cfg(test)]
pub(crate) mod tests;
