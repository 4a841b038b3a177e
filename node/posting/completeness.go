package posting

import (
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/asean-tmh/tmh/protocol"
)

// Checklist says how complete a listing is. It hinders nothing.
type Checklist struct {
	Points int    `json:"points"` // 0 to 100
	Items  []Item `json:"items"`
}

// Item of a checklist.
type Item struct {
	Field  string `json:"field"`  // a member of the listing, or "record." and one of the record
	Points int    `json:"points"` // that it is worth
	Done   bool   `json:"done"`
	Why    string `json:"why"`
	How    string `json:"how"`
}

// Where a text is long enough to say something, in characters.
const (
	enoughTitle       = 15
	enoughAbstract    = 200
	enoughDescription = 400
	enoughPassage     = 80
	enoughKeywords    = 3
)

// Completeness of a listing with its full record, for people while they type. What is asked for depends on the kind: only
// what can be said of a facility is asked of a facility. The points of what applies are scaled to 100.
func Completeness(l *protocol.Listing, r *protocol.Record) Checklist {
	var c Checklist
	add := func(applies bool, field string, points int, done bool, why, how string) {
		if applies {
			c.Items = append(c.Items, Item{field, points, done, why, how})
		}
	}
	technology := l.Kind == protocol.TechnologyOffer || l.Kind == protocol.TechnologyRequest
	offer := l.Kind == protocol.TechnologyOffer
	funding := l.Kind == protocol.FundingCall
	text := func(enough func(t protocol.Text) bool) bool {
		for _, t := range l.Texts {
			if enough(t) {
				return true
			}
		}
		return false
	}
	full := func(enough func(t protocol.RecordText) bool) bool {
		for _, t := range r.Texts {
			if enough(t) {
				return true
			}
		}
		return false
	}

	add(true, "texts.title", 5, text(func(t protocol.Text) bool { return long(t.Title, enoughTitle) }),
		"The title is what a searcher reads first.", "Name the technology and what it is for, in 15 characters or more.")
	add(true, "texts.value", 5, text(func(t protocol.Text) bool { return long(t.Value, 1) }),
		"One line on the benefit decides whether the rest is read.", "Say in one sentence what a user gains.")
	add(true, "texts.abstract", 10, text(func(t protocol.Text) bool { return long(t.Abstract, enoughAbstract) }),
		"The search reads the abstract; a short one is found less often.", "Write 200 characters or more on what it is, what it does, and for whom.")
	add(true, "texts.keywords", 5, text(func(t protocol.Text) bool { return len(t.Keywords) >= enoughKeywords }),
		"Keywords find the listing under the words that others use.", "Give three keywords or more, synonyms among them.")
	_, english := l.Texts["en"]
	add(true, "texts", 5, english && len(l.Texts) > 1,
		"Partners in other countries search in English, partners at home in their own language.", "Add a title and an abstract in English, and in your language.")
	add(true, "ford", 8, slices.ContainsFunc(l.FORD, func(s string) bool { return strings.Contains(s, ".") }),
		"A field of research matches across all languages.", "Choose one field of research or more, such as 2.10.")
	add(true, "isic", 8, len(l.ISIC) > 0,
		"Companies look by their industry.", "Choose the industries that would use it.")
	add(technology, "ipc", 4, len(l.IPC) > 0,
		"The patent area finds those who work on the same technology.", "Choose one patent class or more.")
	add(true, "sdg", 2, len(l.SDG) > 0,
		"Funders and agencies look by goal.", "Choose the development goals that it serves.")
	add(technology || l.Kind == protocol.ResearchPartner, "trl", 6, l.TRL > 0,
		"The level of readiness tells a company how much is left to do.", "Choose the level from 1 to 9; in a request, the least that you accept.")
	add(offer, "ipr", 4, len(l.IPR) > 0,
		"A partner has to know what is protected.", "Choose what protects it, or that nothing does.")
	add(!funding, "cooperation", 6, len(l.Cooperation) > 0,
		"It tells what kind of partner should answer.", "Choose one form of cooperation or more.")
	add(true, "seeks", 4, len(l.Seeks.Types) > 0 || len(r.Partner.Types) > 0,
		"Matching prefers the partners that you look for.", "Choose the types of organisation that you look for.")
	add(true, "organisation.type", 3, l.Organisation.Type != "",
		"Whether a university or a company offers matters to a partner.", "Choose the type of your organisation; its name may stay out.")
	add(true, "valid_until", 2, l.ValidUntil != 0,
		"A date shows that the listing is kept up.", "Give the day until which it holds; without one it is a year.")

	add(true, "record.texts.description", 8, full(func(t protocol.RecordText) bool { return long(t.Description, enoughDescription) }),
		"Who is interested wants to know more than the abstract.", "Describe it in 400 characters or more.")
	add(technology, "record.texts.problem", 5, full(func(t protocol.RecordText) bool { return long(t.Problem, enoughPassage) }),
		"Companies search for their problem, not for a solution.", "Say which problem it solves, or which one you have.")
	add(offer, "record.texts.advantages", 6, full(func(t protocol.RecordText) bool { return long(t.Advantages, enoughPassage) }),
		"Reviewers score it, and readers decide by it.", "Say what is better than in what is used today.")
	add(technology || l.Kind == protocol.Expertise || l.Kind == protocol.Facility, "record.texts.applications", 3,
		full(func(t protocol.RecordText) bool { return len(t.Applications) > 0 }),
		"It shows industries which you did not think of.", "List uses, one a line.")
	add(offer, "record.comparison", 10, slices.ContainsFunc(r.Comparison, func(x protocol.Comparison) bool { return x.Metric != "" && x.Ours != "" && x.Baseline != "" }),
		"Figures beside today's practice convince companies most.", "Give one figure or more: what is measured, today's value, and yours.")
	add(technology, "record.stage", 3, long(r.Stage, 1),
		"Words tell more than the level of readiness.", "Say what was built and tested, where, and how often.")
	add(offer, "record.rights", 4, len(r.Rights) > 0,
		"A licence needs a right.", "List patents and other rights; numbers may stay out.")
	add(offer, "record.terms", 3, len(r.Terms.Models) > 0 || r.Terms.Exclusivity != "",
		"Conditions that are known early save both sides time.", "Say which models of agreement you would accept.")
	add(!funding, "record.partner", 6, long(r.Partner.Role, 1) && long(r.Partner.Task, 1),
		"A partner has to see what is expected.", "Say the role and the task of the partner.")
	add(true, "record.contact", 4, r.Contact != protocol.Contact{},
		"Somebody has to answer.", "Give the office that answers; it is shown to those alone who may see the record.")
	add(funding, "record.funding", 12, r.Funding.Deadline != 0 && long(r.Funding.Eligible, 1),
		"A call without a deadline or conditions cannot be planned for.", "Give the deadline with its time zone, and who may apply.")
	add(l.Kind == protocol.ResearchPartner, "record.funding.call", 6, r.Funding.Call != "" || len(r.Funding.Partners) > 0,
		"Partners look for the call first.", "Name the call, its deadline, and the partners so far.")
	add(!funding, "record.publications", 2, len(r.Publications) > 0 || len(r.Documents) > 0,
		"A paper, a picture or a data sheet makes it believable.", "Add a DOI or a document.")

	c.scale()
	return c
}

// scale the points of the items to 100 in all, by the largest remainders.
func (c *Checklist) scale() {
	total := 0
	for _, x := range c.Items {
		total += x.Points
	}
	order, rest, given := make([]int, len(c.Items)), make([]int, len(c.Items)), 0
	for i := range c.Items {
		x := &c.Items[i]
		order[i], rest[i] = i, x.Points*100%total
		x.Points = x.Points * 100 / total
		given += x.Points
	}
	slices.SortStableFunc(order, func(a, b int) int { return rest[b] - rest[a] })
	for _, i := range order[:100-given] {
		c.Items[i].Points++
	}
	for _, x := range c.Items {
		if x.Done {
			c.Points += x.Points
		}
	}
}

func long(s string, enough int) bool { return utf8.RuneCountInString(strings.TrimSpace(s)) >= enough }
