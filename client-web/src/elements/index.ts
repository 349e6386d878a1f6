/** Importing this defines the elements. */
export type { Talk } from './chat.js';
export { VeilcastChat } from './chat.js';
export { showChoices, VeilcastChoices } from './choices.js';
export { askConsent } from './consent-ask.js';
export { VeilcastConsentQuestion } from './consent-question.js';
export { VeilcastLevelMeter } from './level-meter.js';
export { VeilcastPlayer } from './player.js';
export { VeilcastPlayerControls } from './player-controls.js';
export { VeilcastPlayerTile } from './player-tile.js';
export type { PlaceModel, PlayerModel } from './player-view.js';
export { VeilcastQualityMenu } from './quality-menu.js';
export type { Requests } from './requests.js';
export { VeilcastSourceRow } from './source-row.js';
export { VeilcastStudio } from './studio.js';
export { VeilcastStudioOthers } from './studio-others.js';
