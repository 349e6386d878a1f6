import type { Route } from './router.js';

/** Every page is a file of its own: a viewer never loads the studio. */
export const routes: readonly Route[] = [
  { pattern: '/', tag: 'vc-home', title: 'Live events', load: () => import('./pages/home.js') },
  { pattern: '/watch/:id', tag: 'vc-watch', title: 'Watch', load: () => import('./pages/watch.js') },
  { pattern: '/studio', tag: 'vc-studio', title: 'Studio', load: () => import('./pages/studio.js') },
  {
    pattern: '/studio/:id',
    tag: 'vc-broadcast',
    title: 'Studio',
    load: () => import('./pages/broadcast.js'),
  },
  { pattern: '/sign-in', tag: 'vc-sign-in', title: 'Sign in', load: () => import('./pages/sign-in.js') },
  {
    pattern: '/signed-in',
    tag: 'vc-signed-in',
    title: 'Signing in',
    load: () => import('./pages/signed-in.js'),
  },
  {
    pattern: '/callback',
    tag: 'vc-callback',
    title: 'Signing in',
    load: () => import('./pages/callback.js'),
  },
  { pattern: '/setup', tag: 'vc-setup', title: 'Set up', load: () => import('./pages/setup.js') },
  { pattern: '/account', tag: 'vc-account', title: 'Account', load: () => import('./pages/account.js') },
  {
    pattern: '/account/receipts',
    tag: 'vc-receipts',
    title: 'Your receipts',
    load: () => import('./pages/receipts.js'),
  },
  { pattern: '/operator', tag: 'vc-operator', title: 'Operator', load: () => import('./pages/operator.js') },
  {
    pattern: '/operator/programs',
    tag: 'vc-programs',
    title: 'Programs and keys',
    load: () => import('./pages/programs.js'),
  },
  { pattern: '/privacy', tag: 'vc-privacy', title: 'Privacy', load: () => import('./pages/privacy.js') },
];

export const lost: Route = {
  pattern: '',
  tag: 'vc-lost',
  title: 'Not here',
  load: () => import('./pages/lost.js'),
};
