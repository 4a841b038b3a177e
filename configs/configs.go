// Package configs embeds what stands beside it: the commented sample configuration, which states every default, and the
// content of the demonstration federation.
package configs

import "embed"

// Sample is the commented configuration file.
//
//go:embed tmh.yaml
var Sample string

// Demo holds the listings of the demonstration federation (*.jsonl), and which of them are meant to find each other
// (*.pairs.tsv: need, offer, why). All of it is invented.
//
//go:embed demo
var Demo embed.FS
