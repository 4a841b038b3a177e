package ui

import (
	"html/template"
	"net/http"
	"slices"
	"strings"

	"github.com/asean-tmh/tmh/node/access"
	"github.com/asean-tmh/tmh/node/posting"
	"github.com/asean-tmh/tmh/protocol"
	"github.com/asean-tmh/tmh/ui/lang"
)

// What cannot be taken back is asked on a page of its own: discarding a draft, and ending a listing.

// endings are the actions that have such a page.
func endings() []posting.Action {
	return []posting.Action{posting.Discard, posting.Withdraw, posting.Supersede, posting.Revoke}
}

func (s *site) endPage(_ http.ResponseWriter, r *http.Request, a access.Actor, h *posting.Posting, action posting.Action) (view, error) {
	if !slices.Contains(s.cfg.House.Postings.Allowed(a, h), action) {
		return s.postingView(r, a, h, refusedNow(a, h, action)), nil
	}
	return s.endView(r, h, action, nil), nil
}

func (s *site) endView(r *http.Request, h *posting.Posting, action posting.Action, err error) view {
	say := printer(r)
	name, _ := heading(say, h)
	word := string(action)
	f := form{
		ID: word, Action: postingPath(h.ID) + "/" + word, Danger: true, Button: say.HTML("deed." + word),
		Hidden: []option{versionOf(h)},
	}
	lead := []template.HTML{name, say.HTML("write.end." + word)}
	note := field{Name: "note", Label: say.HTML("form.comment"), Hint: say.HTML("write.hint.note"), Type: "text", Optional: true, Autocomplete: "off", Value: r.PostFormValue("note")}
	switch action {
	case posting.Discard:
		lead = append(lead, say.HTML("form.sure.for-ever"))
	case posting.Withdraw:
		f.Groups = []group{{Fields: []field{{Name: "reason", Label: say.HTML("write.reason"), Type: "select", Choices: reasons(say, r.PostFormValue("reason"))}, note}}}
	case posting.Supersede:
		f.Groups = []group{{Fields: []field{{
			Name: "replaced_by", Label: say.HTML("write.replacement"), Hint: say.HTML("write.hint.replacement"), Type: "text", Autocomplete: "off", Value: r.PostFormValue("replaced_by"),
		}, note}}}
	case posting.Revoke:
		note.Optional, note.Hint = false, say.HTML("write.hint.revoke")
		f.Groups = []group{{Fields: []field{note}}}
	}
	if e := protocol.All(err); len(e) == 1 && e[0].Code == protocol.CodeConflict && e[0].Field == "version" {
		err = protocol.Errorf(protocol.CodeConflict, "", "%s", say.T("form.changed"))
	}
	return s.formView(r, "deed."+word, lead, f, err, link(say, postingPath(h.ID), "act.cancel"))
}

func reasons(p *lang.Printer, chosen string) []option {
	list := []option{{Label: p.T("form.choose")}}
	for _, x := range protocol.Reasons() {
		switch x {
		case "superseded", "revoked", protocol.OnHold, "expired": // have actions of their own, or come by themselves
			continue
		}
		list = append(list, option{Value: x, Label: p.T("reason." + x), Selected: x == chosen})
	}
	return list
}

func (s *site) end(w http.ResponseWriter, r *http.Request, a access.Actor, h *posting.Posting, action posting.Action) (view, error) {
	if !slices.Contains(s.cfg.House.Postings.Allowed(a, h), action) {
		return s.postingView(r, a, h, refusedNow(a, h, action)), nil
	}
	all, version, note := s.cfg.House.Postings, formVersion(r), r.PostFormValue("note")
	now, err := h, error(nil)
	switch action {
	case posting.Discard:
		_, err = all.Discard(r.Context(), a, h.ID, version)
		if err == nil && h.Live == posting.None { // nothing is left of it
			return s.doneView(r, http.StatusOK, "did.discard", link(printer(r), organisationPath(h.Organisation), "nav.organisation"), printer(r).HTML("write.discarded")), nil
		}
	case posting.Withdraw:
		reason := r.PostFormValue("reason")
		if reason == "" {
			err = protocol.Errorf(protocol.CodeRequired, "reason", "choose one")
			break
		}
		_, err = all.Withdraw(r.Context(), a, h.ID, version, reason, note)
	case posting.Supersede:
		var by *posting.Posting
		if by, err = s.replacement(a, strings.TrimSpace(r.PostFormValue("replaced_by"))); err == nil {
			_, err = all.Supersede(r.Context(), a, h.ID, version, by.ID, note)
		}
	case posting.Revoke:
		_, err = all.Revoke(r.Context(), a, h.ID, version, note)
	}
	if err == nil {
		return moved(w, r, postingPath(h.ID)+"?done="+string(action))
	}
	if x, gerr := all.Get(a, h.ID); gerr == nil {
		now = x
	}
	if !slices.Contains(all.Allowed(a, now), action) {
		return s.postingView(r, a, now, err), nil
	}
	return s.endView(r, now, action, s.fault(r, err)), nil
}

// replacement is the listing of that reference or identifier.
func (s *site) replacement(a access.Actor, typed string) (*posting.Posting, error) {
	none := protocol.Errorf(protocol.CodeValue, "replaced_by", "no listing of your organisation has this number: copy it from the page of the other listing")
	if x, err := s.cfg.House.Postings.Find(a, typed); err == nil {
		return x, nil
	}
	id, err := protocol.ParseListingID(typed)
	if err != nil {
		return nil, none
	}
	x, err := s.cfg.House.Postings.Get(a, id)
	if err != nil {
		return nil, none
	}
	return x, nil
}
