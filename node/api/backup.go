package api

import (
	"net/http"
	"time"
)

// withBackup serves the backup beside the other routes. It holds full records, so the operator's token is not enough: only
// who reaches the operator's listener gets it.
func (a *API) withBackup(next http.Handler) http.Handler {
	if a.cfg.Backup == nil {
		return next
	}
	mux := http.NewServeMux()
	mux.Handle("GET "+base+"/backup", a.common(http.HandlerFunc(a.backup)))
	mux.Handle("/", next)
	return mux
}

// backup streams one. Where it fails on the way the connection is cut: the backup lacks its end then, and its reader sees it.
func (a *API) backup(w http.ResponseWriter, r *http.Request) {
	out := &unhurried{w: w, rc: http.NewResponseController(w)}
	err := a.cfg.Backup(r.Context(), out)
	switch {
	case err == nil:
	case !out.begun:
		a.fail(w, err)
	default:
		a.cfg.Log.Warn("backup not completed", "error", err)
		panic(http.ErrAbortHandler)
	}
}

// unhurried gives every write its own deadline: a backup has no time limit as a whole.
type unhurried struct {
	w     http.ResponseWriter
	rc    *http.ResponseController
	begun bool
}

func (u *unhurried) Write(b []byte) (int, error) {
	if !u.begun {
		u.w.Header().Set("Content-Type", "application/octet-stream")
		u.begun = true
	}
	_ = u.rc.SetWriteDeadline(time.Now().Add(idle)) // not all writers have deadlines
	return u.w.Write(b)
}
