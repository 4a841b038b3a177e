package ui

import (
	"html/template"
	"net/http"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/asean-tmh/tmh/configs/codes"
	"github.com/asean-tmh/tmh/node/access"
	"github.com/asean-tmh/tmh/protocol"
	"github.com/asean-tmh/tmh/ui/lang"
)

// form is a form of a page: groups of fields, what was wrong with what was sent, and a button.
type form struct {
	ID     string // of its heading, and before the ids of its fields
	Action string
	Button template.HTML
	Danger bool // what it does cannot be taken back
	Hidden []option
	Groups []group
	Wrong  []mistake
}

// group of fields. A legend is shown where a form has several.
type group struct {
	Legend, Hint template.HTML
	Fields       []field
}

// field of a form.
type field struct {
	Name         string
	Label, Hint  template.HTML
	ID           string
	Type         string // of an input; "select", "checks", "fixed"
	Autocomplete string
	Value        string
	Optional     bool
	Choices      []option
	Wrong        template.HTML
}

// mistake leads from the summary of what is wrong to the field.
type mistake struct {
	ID   string
	Text template.HTML
}

// dress gives the fields their ids, and err to those that it names.
func (f form) dress(p *lang.Printer, err error) form {
	left := protocol.Errors(nil)
	if err != nil {
		left = protocol.All(err)
	}
	first := ""
	for g := range f.Groups {
		f.Groups[g].Fields = slices.Clone(f.Groups[g].Fields)
		for i := range f.Groups[g].Fields {
			x := &f.Groups[g].Fields[i]
			x.ID = f.ID + "-" + strings.ReplaceAll(x.Name, ".", "-")
			if first == "" && x.Type != "fixed" {
				first = x.ID
			}
			left = slices.DeleteFunc(slices.Clone(left), func(e *protocol.Error) bool {
				if e.Field != x.Name {
					return false
				}
				if x.Wrong != "" {
					x.Wrong += " "
				}
				x.Wrong += stated(p, e.Message)
				f.Wrong = append(f.Wrong, mistake{x.ID, p.HTML("form.fault", "Field", x.Label, "Fault", clause(p, e.Message))})
				return true
			})
		}
	}
	for _, e := range left {
		f.Wrong = append(f.Wrong, mistake{first, stated(p, e.Message)})
	}
	return f
}

// said makes a message a sentence.
func said(message string) string {
	c, n := utf8.DecodeRuneInString(message)
	if n == 0 {
		return ""
	}
	message = string(unicode.ToUpper(c)) + message[n:]
	if !strings.ContainsAny(message[len(message)-1:], ".!?") {
		message += "."
	}
	return message
}

// fault is an error that a form shows, nil where the page has to be another one. A fault of the node itself is logged.
func (s *site) fault(r *http.Request, err error) error {
	if protocol.CodeOf(err) != protocol.CodeInternal {
		return err
	}
	s.cfg.Log.Error("form failed", "path", r.URL.Path, "error", err)
	return protocol.Errorf(protocol.CodeInternal, "", "a fault of this node, which its log tells of: try again, and tell its operator if it stays")
}

// formPage is a page that is one form.
type formPage struct {
	frame
	Heading template.HTML
	Lead    []template.HTML
	Form    form
	After   []option // links below it
}

// formView is a page of the heading's key.
func (s *site) formView(r *http.Request, key string, lead []template.HTML, f form, err error, after ...option) view {
	p := printer(r)
	page := formPage{frame: s.frame(r, "", p.T(key)), Heading: p.HTML(key), Lead: lead, Form: f.dress(p, err), After: after}
	code := http.StatusOK
	if err != nil {
		page.Title, code = p.T("layout.error", "Page", page.Title), status(err)
	}
	return view{"form", page, code}
}

// donePage says that something was done, and where to go on.
type donePage struct {
	frame
	Heading template.HTML
	Text    []template.HTML
	Secret  string // shown this once
	Next    option
}

func (s *site) doneView(r *http.Request, code int, key string, next option, text ...template.HTML) view {
	p := printer(r)
	return view{"done", donePage{frame: s.frame(r, "", p.T(key)), Heading: p.HTML(key), Text: text, Next: next}, code}
}

// link to a page, called as the key says.
func link(p *lang.Printer, to, key string) option { return option{Value: to, Label: p.T(key)} }

// Fields that several forms have.

func emailField(p *lang.Printer, value string) field {
	return field{Name: "email", Label: p.HTML("form.email"), Type: "email", Autocomplete: "username", Value: value}
}

func nameField(p *lang.Printer, value string) field {
	return field{Name: "name", Label: p.HTML("form.name"), Hint: p.HTML("form.name.hint"), Type: "text", Autocomplete: "name", Value: value}
}

func languageField(p *lang.Printer, value string) field {
	return field{
		Name: "language", Label: p.HTML("nav.language"), Hint: p.HTML("account.language-hint"), Type: "select", Optional: true, Autocomplete: "language",
		Choices: choices(p, "language", codes.Language(), value, "form.not-said"),
	}
}

func newPasswordField(p *lang.Printer) field {
	return field{Name: "password", Label: p.HTML("form.password-new"), Type: "password", Autocomplete: "new-password", Hint: p.HTML("form.password.hint")}
}

// tongueOf a text that is to be marked, since it is not in the language of the page; "" for one that is.
func tongueOf(t lang.Text) string {
	if t.Fallback {
		return string(lang.English)
	}
	return ""
}

// choices of a code list; none is the key of a first entry that chooses nothing.
func choices(p *lang.Printer, list string, in codes.List, chosen, none string) (out []option) {
	for _, c := range in.All() {
		text := p.Label(list, c.Code)
		out = append(out, option{Value: c.Code, Label: text.Text, Selected: c.Code == chosen, Lang: tongueOf(text)})
	}
	if list == "language" || list == "country" {
		lang.SortBy(p, out, func(o option) string { return o.Label })
	}
	if none != "" {
		out = append([]option{{Label: p.T(none)}}, out...)
	}
	return out
}

func account(r *http.Request) access.NewAccount {
	return access.NewAccount{Name: r.PostFormValue("name"), Language: r.PostFormValue("language"), Password: r.PostFormValue("password")}
}

// key of a link: from the address when it is opened, from the form when that is sent.
func key(r *http.Request) string {
	if r.Method == http.MethodPost {
		return r.PostFormValue("key")
	}
	return r.URL.Query().Get("key")
}
