import './shell.js';
import { controls, theme } from '../elements/theme.js';
import { forgetOldKeys } from '../sdk/keys.js';
import { base } from './styles/base.js';
import { forms } from './styles/forms.js';
import { lists } from './styles/lists.js';
import { rooms } from './styles/rooms.js';
import { signals } from './styles/signals.js';

const sheets = [theme, controls, base, forms, lists, rooms, signals].map((part) => part.styleSheet);
document.adoptedStyleSheets = sheets.filter((sheet) => sheet !== undefined);
forgetOldKeys();
document.body.append(document.createElement('vc-app'));
