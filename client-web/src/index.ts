/** Public surface of the SDK. The elements are a separate entry, `@veilcast/client/elements`. */
export type {
  Activity,
  AudienceHealth,
  Ban,
  BanReach,
  ChatListed,
  ChatMessage,
  ChatReaction,
  ChatSelf,
  ChatSum,
  ConsentQuestion,
  ConsentStanding,
  EventSummary,
  Fault,
  FaultCode,
  KnockSummary,
  LayerState,
  LocatedPerson,
  LocationCap,
  LocationPrecision,
  MapArea,
  OwnLocation,
  PlaceState,
  Purpose,
  Quality,
  QualityCap,
  Removal,
  Retraction,
  Role,
  StageState,
  Unplayable,
} from './protocol/index.js';
export type { Access } from './sdk/access.js';
export { grantedAccess, guestAccess, invitedAccess } from './sdk/access.js';
export type { BroadcasterEvents, BroadcasterOptions } from './sdk/broadcaster.js';
export { Broadcaster } from './sdk/broadcaster.js';
export type { ChatEvents, ChatLine, ChatState } from './sdk/chat.js';
export { Chat, REACTIONS } from './sdk/chat.js';
export type { Added, ConsentsEvents } from './sdk/consents.js';
export { Consents } from './sdk/consents.js';
export type { DoorEvents, DoorOptions, DoorState } from './sdk/door.js';
export { Door } from './sdk/door.js';
export type { Environment } from './sdk/environment.js';
export type { LocalCode } from './sdk/errors.js';
export { VeilcastError } from './sdk/errors.js';
export type { VideoKind } from './sdk/layers.js';
export type { Moderation } from './sdk/moderation.js';
export { moderation } from './sdk/moderation.js';
export type { OnlookerEvents } from './sdk/onlooker.js';
export { Onlooker } from './sdk/onlooker.js';
export type { Claims } from './sdk/proof.js';
export type { SessionOptions, SessionState } from './sdk/session.js';
export type { Devices } from './sdk/sources.js';
export { listDevices, openCamera, openMicrophone, openScreen } from './sdk/sources.js';
export type { StatsSummary } from './sdk/stats.js';
export type { ViewerEvents, ViewerOptions, ViewerPlace } from './sdk/viewer.js';
export { Viewer } from './sdk/viewer.js';
export type { WhereaboutsEvents } from './sdk/whereabouts.js';
export { Whereabouts } from './sdk/whereabouts.js';
