import './shell.js';
import { controls, theme } from '../elements/theme.js';
import { styles } from './styles.js';

const sheets = [theme, controls, styles].map((part) => part.styleSheet);
document.adoptedStyleSheets = sheets.filter((sheet) => sheet !== undefined);
document.body.append(document.createElement('vc-app'));
