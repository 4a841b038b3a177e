package exchange

import "github.com/asean-tmh/tmh/protocol"

// ImportEvent is one line of an import's running report.
type ImportEvent struct {
	// Row errors: all faults of one row, which was left out.
	Row    int             `json:"row,omitempty"` // from 1, as the sender's file counts its rows
	ID     string          `json:"id,omitempty"`
	Errors protocol.Errors `json:"errors,omitempty"`

	Progress *ImportCount `json:"progress,omitempty"`
	Done     *ImportCount `json:"done,omitempty"` // the last event of a complete import
	// Fault ends an import early; what was acknowledged in Progress stays, and the same file can be sent again.
	Fault *protocol.Error `json:"fault,omitempty"`
}

// ImportCount is how far an import has come.
type ImportCount struct {
	Rows      int     `json:"rows"`
	Published int     `json:"published"`
	Revised   int     `json:"revised"`
	Unchanged int     `json:"unchanged"`
	Refused   int     `json:"refused"`
	Seconds   float64 `json:"seconds"`
}
