// Every page there is, by who looks at it. A new page is one more line here: pages.test.js then looks at it in all languages, and
// screenshots.js takes its picture.
import { world as w } from './browser.js';

const person = (role) => `${role}@th.example`;

// visitors of the Thai node: the address they sign in with, and what they look at
export const visitors = w && {
  stranger: {
    paths: ['/', '/?q=drying+fish+without+firewood', '/?kind=TO&country=VN', '/?q=zzzz&kind=FN', `/listings/TH/${w.Listed}`, `/listings/TH/${w.Listed}/full`,
      '/federation', '/figures', '/developers', '/nowhere', '/sign-in', '/reset', '/signed-out', '/setup?key=dead'],
  },
  editor: { // of a laboratory whose listings are reviewed
    email: w.Editor,
    paths: ['/account', '/account/erase', `/postings/${w.Draft}`, `/postings/${w.Waiting}`],
  },
  scout: { email: person('scout'), paths: [] },
  reviewer: { email: person('reviewer'), paths: [] },
  admin: { email: person('admin'), paths: [] },
};
