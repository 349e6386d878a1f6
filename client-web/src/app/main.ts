import { controls, theme } from '../elements/theme.js';
import { keptReceipts } from '../sdk/kept-receipts.js';
import { forgetOldKeys } from '../sdk/keys.js';
import { base } from './styles/base.js';
import { forms } from './styles/forms.js';
import { lists } from './styles/lists.js';
import { location as places } from './styles/location.js';
import { rooms } from './styles/rooms.js';
import { signals } from './styles/signals.js';

const sheets = [theme, controls, base, forms, lists, places, rooms, signals].map((part) => part.styleSheet);
document.adoptedStyleSheets = sheets.filter((sheet) => sheet !== undefined);
forgetOldKeys();
// Whichever page somebody comes back to: looking forgets what is past its time.
keptReceipts()?.list();

/** A frame on somebody else’s page shows the question and nothing around it. */
const asks = location.pathname === '/consent';
const load = asks ? import('./pages/consent.js') : import('./shell.js');
load.then(() => document.body.append(document.createElement(asks ? 'vc-consent' : 'vc-app')));
