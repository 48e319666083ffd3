// Package configs holds configurations to copy, and the one that a gateway uses when it is given none.
//
// Its promise: every file in this folder loads, and says the truth about defaults; a test sees to it.
package configs

import _ "embed"

// Quickstart is the text of quickstart.yaml.
//
//go:embed quickstart.yaml
var Quickstart []byte
