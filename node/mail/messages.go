package mail

import (
	"embed"
	"html"
	"strings"
	"text/template"
	"time"
	"unicode"

	"github.com/asean-tmh/tmh/protocol"
)

// Message is one of the kinds below. Texts in them are people's: control characters go and length is bounded here.
type Message interface{ template() string }

// Invitation to become a user.
type Invitation struct {
	Name, Organisation, Role string // of who is invited; each may be empty
	Link                     string
	Until                    time.Time
}

// Verification of an address.
type Verification struct {
	Name, Link string
	Until      time.Time
}

// Reset of a password.
type Reset struct {
	Name, Link string
	Until      time.Time
}

// Reminder that a listing's validity ends.
type Reminder struct {
	Name, Title, Reference, Link string
	Days                         int
	Until                        time.Time
}

// Decision of a review.
type Decision struct {
	Name, Title, Reference, Link string // without a Reference before it was first published
	Outcome                      string // such as "published" or "to be revised"
	Score                        string // such as "14 of 20", or empty
	Comment                      string // the reviewer's, several lines
}

// Notice of something that happened, such as that a listing was revoked.
type Notice struct {
	Name, What, Link string
	Details          string // several lines
	At               time.Time
}

func (Invitation) template() string   { return "invitation" }
func (Verification) template() string { return "verification" }
func (Reset) template() string        { return "reset" }
func (Reminder) template() string     { return "reminder" }
func (Decision) template() string     { return "decision" }
func (Notice) template() string       { return "notice" }

// Site is whose node it is, as the messages say it.
type Site struct {
	Name  string // of the agency
	Email string // where its people can be asked
	Phone string
	URL   string // the node's public address
}

//go:embed templates/*.txt
var templates embed.FS

// footer ends every message.
const footer = `
--
{{.Site.Name}}{{with .Site.URL}}
{{.}}{{end}}{{if or .Site.Email .Site.Phone}}
Questions: {{.Site.Email}}{{with .Site.Phone}} {{.}}{{end}}{{end}}
`

func parseTemplates() (map[string]*template.Template, error) {
	all := make(map[string]*template.Template)
	for _, m := range []Message{Invitation{}, Verification{}, Reset{}, Reminder{}, Decision{}, Notice{}} {
		b, err := templates.ReadFile("templates/" + m.template() + ".txt")
		if err != nil {
			return nil, err
		}
		t, err := template.New(m.template()).Option("missingkey=error").Parse(string(b) + footer)
		if err != nil {
			return nil, err
		}
		all[m.template()] = t
	}
	return all, nil
}

// Bounds of what goes into a template.
const (
	maxLine  = 255  // characters of a name or a title
	maxBlock = 4000 // characters of a comment
	maxLink  = 2048
)

// values are what the template of m sees: texts made harmless, times written out.
func values(site Site, m Message) (map[string]any, error) {
	until := func(t time.Time) string { return t.UTC().Format("2 January 2006, 15:04 UTC") }
	var link string
	v := map[string]any{}
	switch m := m.(type) {
	case Invitation:
		link = m.Link
		v = map[string]any{"Name": line(m.Name), "Organisation": line(m.Organisation), "Role": line(m.Role), "Until": until(m.Until)}
	case Verification:
		link = m.Link
		v = map[string]any{"Name": line(m.Name), "Until": until(m.Until)}
	case Reset:
		link = m.Link
		v = map[string]any{"Name": line(m.Name), "Until": until(m.Until)}
	case Reminder:
		link = m.Link
		v = map[string]any{"Name": line(m.Name), "Title": line(m.Title), "Reference": line(m.Reference), "Days": max(m.Days, 0),
			"Until": m.Until.UTC().Format("2 January 2006")}
	case Decision:
		link = m.Link
		v = map[string]any{"Name": line(m.Name), "Title": line(m.Title), "Reference": line(m.Reference), "Outcome": line(m.Outcome),
			"Score": line(m.Score), "Comment": block(m.Comment)}
	case Notice:
		link = m.Link
		v = map[string]any{"Name": line(m.Name), "What": line(m.What), "Details": block(m.Details), "At": until(m.At)}
	}
	if len(link) > maxLink || !strings.HasPrefix(link, "https://") && !strings.HasPrefix(link, "http://") || strings.ContainsFunc(link, func(r rune) bool { return r <= ' ' || r > '~' }) {
		return nil, protocol.Errorf(protocol.CodeValue, "link", "is no web address: set public_url in tmh.yaml")
	}
	v["Link"] = link
	v["Site"] = Site{Name: line(site.Name), Email: line(site.Email), Phone: line(site.Phone), URL: line(site.URL)}
	return v, nil
}

// line makes one line of s: no line breaks, control or direction characters, at most maxLine characters.
func line(s string) string {
	return cut(strings.Join(strings.Fields(harmless(s, false)), " "), maxLine)
}

// block keeps the line breaks of s. No line of it can be taken for the beginning of the footer.
func block(s string) string {
	s = cut(strings.TrimSpace(harmless(strings.ReplaceAll(s, "\r\n", "\n"), true)), maxBlock)
	return strings.ReplaceAll("\n"+s, "\n--", "\n- -")[1:]
}

func harmless(s string, breaks bool) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\n' && breaks:
			return r
		case unicode.IsSpace(r), unicode.IsControl(r):
			return ' '
		case r >= '\u202a' && r <= '\u202e', r >= '\u2066' && r <= '\u2069', r == '\ufeff':
			return -1
		}
		return r
	}, strings.ToValidUTF8(s, "\uFFFD"))
}

func cut(s string, most int) string {
	if len(s) <= most {
		return s
	}
	if r := []rune(s); len(r) > most {
		return string(r[:most-1]) + "…"
	}
	return s
}

// rendered is a message as it is sent.
type rendered struct{ subject, text, html string }

// render fills the template of m. The HTML part says the same as the text: its paragraphs, and the one link as a link.
func (q *Queue) render(m Message) (rendered, error) {
	v, err := values(q.cfg.Site, m)
	if err != nil {
		return rendered{}, err
	}
	var b strings.Builder
	if err := q.templates[m.template()].Execute(&b, v); err != nil {
		return rendered{}, err
	}
	head, body, _ := strings.Cut(b.String(), "\n")
	r := rendered{subject: line(strings.TrimPrefix(head, "Subject: ")), text: strings.TrimSpace(body) + "\n"}
	r.html = asHTML(r.text, v["Link"].(string))
	return r, nil
}

func asHTML(text, link string) string {
	var b strings.Builder
	b.WriteString("<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"></head>\n<body style=\"font-family:sans-serif;max-width:40em\">\n")
	for p := range strings.SplitSeq(text, "\n\n") {
		p = strings.Trim(p, "\n")
		switch p {
		case "":
			continue
		case link:
			p = `<a href="` + html.EscapeString(link) + `">` + html.EscapeString(link) + `</a>`
		default:
			p = strings.ReplaceAll(html.EscapeString(p), "\n", "<br>\n")
		}
		b.WriteString("<p>" + p + "</p>\n")
	}
	b.WriteString("</body></html>\n")
	return b.String()
}
