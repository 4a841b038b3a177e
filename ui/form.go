package ui

import (
	"net/http"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/asean-tmh/tmh/configs/codes"
	"github.com/asean-tmh/tmh/node/access"
	"github.com/asean-tmh/tmh/protocol"
)

// form is a form of a page: groups of fields, what was wrong with what was sent, and a button.
type form struct {
	ID     string // of its heading, and before the ids of its fields
	Action string
	Button string
	Danger bool // what it does cannot be taken back
	Hidden []option
	Groups []group
	Wrong  []mistake
}

// group of fields. A legend is shown where a form has several.
type group struct {
	Legend, Hint string
	Fields       []field
}

// field of a form.
type field struct {
	Name, Label, Hint string
	ID                string
	Type              string // of an input; "select", "checks", "fixed"
	Autocomplete      string
	Value             string
	Optional          bool
	Choices           []option
	Wrong             string
}

// mistake leads from the summary of what is wrong to the field.
type mistake struct{ ID, Text string }

// dress gives the fields their ids, and err to those that it names.
func (f form) dress(err error) form {
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
				x.Wrong = strings.TrimSpace(x.Wrong + " " + said(e.Message))
				f.Wrong = append(f.Wrong, mistake{x.ID, x.Label + ": " + e.Message})
				return true
			})
		}
	}
	for _, e := range left {
		f.Wrong = append(f.Wrong, mistake{first, said(e.Message)})
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
	Heading string
	Lead    []string
	Form    form
	After   []option // links below it
}

func (s *site) formView(heading string, lead []string, f form, err error, after ...option) view {
	p := formPage{frame: s.frame("", heading), Heading: heading, Lead: lead, Form: f.dress(err), After: after}
	code := http.StatusOK
	if err != nil {
		p.Title, code = "Error: "+heading, status(err)
	}
	return view{"form", p, code}
}

// donePage says that something was done, and where to go on.
type donePage struct {
	frame
	Heading string
	Text    []string
	Secret  string // shown this once
	Next    option
}

func (s *site) doneView(code int, heading string, next option, text ...string) view {
	return view{"done", donePage{frame: s.frame("", heading), Heading: heading, Text: text, Next: next}, code}
}

// Fields that several forms have.

func emailField(value string) field {
	return field{Name: "email", Label: "E-mail address", Type: "email", Autocomplete: "username", Value: value}
}

func nameField(value string) field {
	return field{Name: "name", Label: "Your name", Hint: "As others on this node shall see it.", Type: "text", Autocomplete: "name", Value: value}
}

func languageField(value string) field {
	return field{Name: "language", Label: "Language", Hint: "Of mail that this node sends you.", Type: "select", Optional: true, Choices: languages(value), Autocomplete: "language"}
}

func newPasswordField() field {
	return field{
		Name: "password", Label: "New password", Type: "password", Autocomplete: "new-password",
		Hint: "At least 12 characters: a few words that do not belong together are easy to remember. You may paste it from a password manager.",
	}
}

// languages that the node keeps mail in.
func languages(chosen string) []option {
	list := []option{{Value: "", Label: "Not said"}}
	for _, c := range codes.Language().All() {
		list = append(list, option{Value: c.Code, Label: c.Label, Selected: c.Code == chosen})
	}
	return list
}

func choices(in codes.List, chosen, none string) (list []option) {
	if none != "" {
		list = append(list, option{Label: none})
	}
	for _, c := range in.All() {
		list = append(list, option{Value: c.Code, Label: c.Label, Selected: c.Code == chosen})
	}
	return list
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
