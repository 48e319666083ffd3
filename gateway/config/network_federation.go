package config

import (
	"cmp"
	"fmt"
	"strings"
	"unicode"

	"github.com/manifoldmq/manifold/addressing"
	"github.com/manifoldmq/manifold/router/network"
)

// Federation declares that what is in one network goes to another, over a connector of ours.
type Federation struct {
	Name      string          `yaml:"name"` // the other network knows the link, and a durable subscription, by it
	Tenant    string          `yaml:"tenant"`
	Connector string          `yaml:"connector"`
	Kind      addressing.Kind `yaml:"kind"`      // queue or topic, at both ends
	Direction string          `yaml:"direction"` // pull: from there to here; push: from here to there
	Source    string          `yaml:"source"`    // what is taken: a queue, or a filter of topics
	Target    string          `yaml:"target"`    // where it goes; none is an address of the same name
	Durable   bool            `yaml:"durable"`   // of topics: a subscription keeps what is published while the networks are apart
	Tag       string          `yaml:"tag"`       // of our network; none is network.containerID
	PeerTag   string          `yaml:"peerTag"`   // of the other one; none is what it calls itself
	Exclude   []string        `yaml:"exclude"`   // tags of further networks whose messages are not taken
}

// The directions of a link to another network.
const (
	pull = "pull"
	push = "push"
)

// Link gives a declaration that is valid in the words of package network.
func (f *Federation) Link() network.FederationLink {
	l := network.FederationLink{
		Name: f.Name, Tenant: cmp.Or(f.Tenant, "default"), Connector: f.Connector, Kind: f.Kind, Direction: network.In,
		Target: addressing.Address(f.Target), Durable: f.Durable, Tag: f.Tag, PeerTag: f.PeerTag, Exclude: f.Exclude,
	}
	if f.Direction == push {
		l.Direction = network.Out
	}
	l.Source, _ = f.source()
	return l
}

// source reads what is taken.
func (f *Federation) source() (addressing.Filter, error) {
	if f.Kind != addressing.Queue {
		return addressing.ParseFilter(f.Source)
	}
	a, err := addressing.ParseAddress(f.Source)
	return a.Filter(), err
}

func (c *Config) validateFederation(k *check) {
	first := make(map[string]int, len(c.Network.Federation))
	for i := range c.Network.Federation {
		f := &c.Network.Federation[i]
		at := fmt.Sprintf("network.federation[%d]", i)
		j, twice := first[f.Name]
		k.refuse(twice, at+".name", "%q is declared in network.federation[%d] already", f.Name, j)
		first[f.Name] = i
		f.validate(k, at)
		k.refuse(!c.Network.has(f.Connector), at+".connector", "no connector %.80q is declared", f.Connector)
	}
}

func (f *Federation) validate(k *check, at string) {
	k.refuse(!isLabel(f.Name), at+".name", "%.80q is not 1 to 63 letters, digits, hyphens, dots and underscores", f.Name)
	k.refuse(f.Kind != addressing.Queue && f.Kind != addressing.Topic, at+".kind", "%v is not one of queue, topic", f.Kind)
	k.oneOf(at+".direction", f.Direction, pull, push)
	_, err := f.source()
	k.refuse(err != nil, at+".source", "%.80q is not what %v are taken from: %v", f.Source, f.Kind, err)
	if f.Target != "" {
		_, err := addressing.ParseAddress(f.Target)
		k.refuse(err != nil, at+".target", "%.80q is not an address", f.Target)
	}
	k.refuse(f.Durable && f.Kind == addressing.Queue, at+".durable", "fits kind topic only: a queue keeps everything")
	validateTag(k, at+".tag", f.Tag)
	validateTag(k, at+".peerTag", f.PeerTag)
	for i, tag := range f.Exclude {
		path := fmt.Sprintf("%s.exclude[%d]", at, i)
		k.refuse(tag == "", path, "is empty")
		validateTag(k, path, tag)
	}
}

func validateTag(k *check, path, tag string) {
	k.refuse(len(tag) > maxTag || strings.ContainsFunc(tag, unicode.IsControl), path,
		"%.80q is not up to %d bytes without control characters", tag, maxTag)
}

// maxTag bounds the tag of a network, in bytes: each message carries those that it has left.
const maxTag = 255
