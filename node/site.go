package node

import (
	"context"
	"encoding/hex"
	"net/http"
	"strings"

	"github.com/asean-tmh/tmh/node/interop"
	"github.com/asean-tmh/tmh/node/oai"
	"github.com/asean-tmh/tmh/protocol"
)

// The node towards programs that know no TMH: harvesters, search engines, catalogues.

// oaiPath is where harvesters ask.
const oaiPath = "/oai"

// site that writes listings in others' forms, as its public address or, where none is configured, its member card says.
func (n *Node) site() interop.Site {
	roster := n.roster.Load()
	name, _ := roster.Member(n.cfg.Member)
	url := func(m protocol.MemberID) string {
		if c := roster.Card(m); c != nil {
			return c.URL
		}
		return ""
	}
	here := n.house.PublicURL()
	if here == "" {
		here = strings.TrimSuffix(url(n.cfg.Member), "/")
	}
	if here == "" && n.HTTPAddr() != "" {
		here = "http://" + n.HTTPAddr()
	}
	return interop.Site{Member: n.cfg.Member, MemberName: name.Name, PublicURL: here, URL: url, Namespace: n.namespace(), Now: n.cfg.Now}
}

// namespace of identifiers that programs elsewhere keep: the same on all nodes of a federation, and no other federation's.
func (n *Node) namespace() string {
	id := n.roster.Load().Federation()
	return "f" + hex.EncodeToString(id[:6]) + ".asean-tmh.org"
}

// openOAI makes the provider. A node without a door has nobody who would ask.
func (n *Node) openOAI() (err error) {
	if n.cfg.HTTP == "" {
		return nil
	}
	format := func(prefix, schema, namespace string, encode func(interop.Site, protocol.MemberID, *protocol.Listing) ([]byte, error)) oai.Format {
		return oai.Format{Prefix: prefix, Schema: schema, Namespace: namespace, Encode: func(origin protocol.MemberID, l *protocol.Listing) ([]byte, error) {
			return encode(n.site(), origin, l)
		}}
	}
	name, _ := n.roster.Load().Member(n.cfg.Member)
	n.oai, err = oai.New(oai.Config{
		Store: n.store, Now: n.cfg.Now, Log: n.log, Namespace: n.namespace(), Name: "TMH " + name.Name, AdminEmail: n.house.Agency().Email,
		Members: func() (all []protocol.MemberID) {
			for _, m := range n.roster.Load().Charter().Members {
				all = append(all, m.ID)
			}
			return all
		},
		BaseURL: func(*http.Request) string { return n.site().PublicURL + oaiPath },
		Formats: []oai.Format{
			format(interop.DublinCorePrefix, interop.DublinCoreSchema, interop.DublinCoreNamespace, interop.DublinCore),
			format(interop.ListingXMLPrefix, interop.SchemaURL(n.site()), interop.ListingXMLNamespace, interop.ListingXML),
		},
		Secret: n.house.Key("oai"),
	})
	return err
}

// oaiLoop keeps the chronicle of what was learnt when.
func (n *Node) oaiLoop(ctx context.Context) {
	if n.oai != nil {
		n.oai.Run(ctx)
	}
}

// changed tells the chronicle that something of an origin was admitted.
func (n *Node) changed(origin protocol.MemberID) {
	if n.oai != nil {
		n.oai.Changed(origin)
	}
}
