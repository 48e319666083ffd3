package management

import (
	"cmp"
	"iter"
	"slices"
	"strings"
)

// Self is what answers: the management node.
type Self struct{ Names }

// selfName is its name and identity.
const selfName = "self"

var selfType = newType(entityType{
	name: "management", base: managementType, about: "What answers these requests.",
	operations: []string{
		"QUERY", "GET-TYPES", "GET-ANNOTATIONS", "GET-OPERATIONS", "GET-ATTRIBUTES", "GET-MGMT-NODES",
		"GET-SCHEMA", "GET-JSON-SCHEMA", "GET-LOG",
	},
}, func(_ Model, offset int) iter.Seq[Self] { return slice([]Self{{Names{selfName, selfName}}}, offset) }, nil)

// types are all entity types that have entities.
var types = []*entityType{
	selfType, routerType, nodeType, listenerType, connectorType, connectionType, linkType, addressType,
	declarationType, autoLinkType, linkRouteType, ownRouteType, poolType, policyType, virtualHostType, virtualHostStatsType, groupSettingsType, logType, logStatsType, sslProfileType,
}

// absentTypes are those of Dispatch of which there is nothing here, so that who asks for them finds none.
var absentTypes = []*entityType{
	absent("router.config.exchange", configurationEntity, "There are no exchanges: topics take their place."),
	absent("router.config.binding", configurationEntity, "There are no bindings: topics take their place."),
	absent("authServicePlugin", configurationEntity, "Logins are in the configuration."),
	absent("console", configurationEntity, "There is no console of its own."),
}

func absent(name, base, why string) *entityType {
	return newType(entityType{name: name, base: base, about: why},
		func(Model, int) iter.Seq[Self] { return slice[Self](nil, 0) }, nil)
}

// abstractTypes have no entities of their own: others extend them.
var abstractTypes = []*entityType{
	absent(anyEntity, "", "Everything that is managed."),
	absent(operationalEntity, anyEntity, "What comes and goes by itself."),
	absent(configurationEntity, anyEntity, "What is declared."),
	absent(managementType, operationalEntity, "What answers these requests."),
}

// allTypes are those that a client may name.
var allTypes = slices.Concat(types, absentTypes, abstractTypes)

// naming is how a request names types.
type naming struct{ used string } // the prefix that it has used; empty for none so far

// split takes the prefix off a type's name. One without is taken for one of Dispatch.
func (n *naming) split(name string) string {
	for _, prefix := range []string{dispatchPrefix, skupperPrefix} {
		if rest, ok := strings.CutPrefix(name, prefix); ok {
			n.used = prefix
			return rest
		}
	}
	return name
}

// prefix is what type names in the answer begin with.
func (n *naming) prefix() string { return cmp.Or(n.used, dispatchPrefix) }

// full gives the name of a type as the answer has it.
func (n *naming) full(name string) string { return n.prefix() + name }

// find finds the type that a request names.
func (n *naming) find(name string) (*entityType, error) {
	short := n.split(name)
	i := slices.IndexFunc(allTypes, func(t *entityType) bool { return t.name == short })
	if i < 0 {
		return nil, faultf(statusBadRequest, "no such entity type %.100q", name)
	}
	return allTypes[i], nil
}

// extending gives the types that are, or extend, the one that a request names; all if it names none.
func (n *naming) extending(name string, among []*entityType) (found []*entityType, err error) {
	if name == "" {
		return among, nil
	}
	wanted, err := n.find(name)
	if err != nil {
		return nil, err
	}
	for _, t := range among {
		if t.is(wanted.name) {
			found = append(found, t)
		}
	}
	return found, nil
}
