// Package client is what an outside tool, oapi-codegen, makes of docs/openapi.json. Nothing of it is committed: go generate writes it,
// and make test takes it through README's quick start, so that a description that no client can be made of does not go unnoticed.
// It is a module of its own and imports nothing of TMH, as programs of others would.
package client

//go:generate go tool oapi-codegen -config generate.yaml ../../../docs/openapi.json
