//! What servers of this kind have died of, one module a class: each shows that it cannot happen here.
//!
//! | row | class | shown by |
//! |---|---|---|
//! | 1 | STUN parsers | `media::strangers_reach_no_parser_behind_ice`, `media::malformed_checks_are_dropped`; corpora `demux`, `stun`, `engine` |
//! | 2 | ClientHello from elsewhere | `media::strangers_reach_no_parser_behind_ice`, `handshake::a_foreign_hello_never_reaches_the_session` |
//! | 3 | DTLS states | `media::another_certificate_than_announced_is_refused`, `media::endless_handshake_fragments_are_bounded`, `media::a_stalled_handshake_times_out`, `handshake::a_second_handshake_brings_no_second_keys`, `a_damaged_finished_brings_no_keys` in `ingress/dtls`; corpus `dtls` |
//! | 4 | nonces used twice | `nonces`, `fanout`, `handshake::a_second_handshake_brings_no_second_keys` |
//! | 5 | padding, RTX, header extensions | `flows::extensions`; corpora `rtp`, `dependency`, `engine` |
//! | 6 | codec payloads | corpora `frame`, `dependency`, `red`, `engine` |
//! | 7 | RTCP, feedback storms | `media::key_frame_storms_are_coalesced`, `storms`; corpora `rtcp`, `arrived` |
//! | 8 | SCTP, DCEP | `privacy::sdp` (a data channel is answered with port 0); `rtc-sctp` is refused by `architecture::dependencies` |
//! | 9 | sources without end | `media::new_sources_for_ever_are_bounded` |
//! | 10 | wraps and jumps | `media::jumps_of_any_size_are_survived`, `nonces`, properties of `egress/codec` and `ingress/stream` |
//! | 11 | amplification | `media::nothing_is_sent_to_who_has_not_passed_a_check`, `media::repeats_are_rationed`, `paths::a_stranger_is_not_sent_to_for_ever`; of a shared port: `a_flood_of_claims_leaves_room_for_sessions` in `shard/door`, `a_flood_is_bounded_and_evicts_nobody_in_use` in `shard/door/paths` |
//! | 12 | bleed and injection | `media::strangers_reach_no_parser_behind_ice`, `media::replays_are_dropped`, `media::a_forged_packet_moves_no_window`, `paths`, `network::shared::only_what_has_authenticated_teaches`, `network::shared::nobody_takes_the_path_of_a_session_on_another_shard` |
//! | 13 | relay to private addresses | `media::nothing_is_sent_to_who_has_not_passed_a_check`, `privacy::sdp`: there is no relay, and `control::Offer` has no place for an address that a peer names |
//! | 14 | descriptions | `privacy::sdp`, unit tests of `gateway/sdp`; corpora `sdp-offer`, `sdp-fragment`, `message`, `headers` |
//! | 25 | growth under churn | `server::churn`, `make soak` |

mod fanout;
mod handshake;
mod layers;
mod media;
mod nonces;
mod paths;
mod storms;
