// Every page there is, by who looks at it. A new page is one more line here: pages.test.js then looks at it in all languages, and
// screenshots.js takes its picture. What depends on a journey (a job that runs, a form with faults) is looked at in the journeys.
import { world as w } from './browser.js';

const person = (role) => `${role}@th.example`;
const laboratory = w && `/organisations/${w.Laboratory}`;
const draft = w && `/postings/${w.Draft}`;

// visitors of the Thai node: the address they sign in with, and what they look at
export const visitors = w && {
  stranger: {
    paths: ['/', '/?q=drying+fish+without+firewood', '/?kind=TO&country=VN', '/?kind=TO&sort=newest', '/?q=zzzz&kind=FN', `/listings/TH/${w.Listed}`, `/listings/TH/${w.Listed}/full`,
      '/federation', '/figures', '/developers', '/styleguide', '/nowhere', '/sign-in', '/reset', '/signed-out', '/setup?key=dead', '/welcome'],
  },
  editor: { // of a laboratory whose listings are reviewed
    email: w.Editor,
    paths: ['/account', '/account/erase', '/post', draft, `${draft}/edit`,
      ...['basics', 'words-en', 'words-th', 'story-en', 'fields', 'figures', 'rights', 'papers', 'partner', 'terms', 'organisation', 'people', 'visibility', 'validity'].map((s) => `${draft}/edit/${s}`),
      `${draft}/edit/documents`, `${draft}/languages`, `${draft}/languages/th/remove`, `${draft}/preview?as=public`, `${draft}/preview?as=invited`, `${draft}/send`, `${draft}/discard`,
      `/postings/${w.Waiting}`, laboratory, ...['listings', 'listings?state=draft', 'matches', 'reviews', 'people', 'tokens'].map((x) => `${laboratory}/${x}`),
      `${laboratory}/imports`, `${laboratory}/imports/new`, `/imports/${w.Import}`, `/imports/${w.Import}/columns`, `/imports/${w.Import}/discard`,
      `${laboratory}/mappings/mine`, `${laboratory}/repositories`],
  },
  scout: { email: person('scout'), paths: ['/?q=rice', '/saved', '/saved/new?q=rice', '/post', '/desk', `/listings/TH/${w.Listed}/full`] },
  reviewer: { email: person('reviewer'), paths: ['/desk', `/desk/${w.Waiting}`, `/desk/${w.Waiting}/revoke`, `/desk/${w.Waiting}/hand`] },
  admin: {
    email: person('admin'),
    paths: ['/administration', '/administration/people', '/administration/people/invite', `/administration/people/${w.Person}`, `/administration/people/${w.Person}/erase`,
      '/administration/organisations', '/administration/organisations/new', `/administration/organisations/${w.Laboratory}`, `/administration/organisations/${w.Laboratory}/disable`,
      '/administration/audit', '/administration/backup', '/administration/checks', '/welcome', '/welcome/agency', '/welcome/mail', '/welcome/listing'],
  },
};
