package tenancy

import (
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"

	"golang.org/x/crypto/argon2"
)

// argonCost is what it takes to hash a password with argon2id (RFC 9106 section 3.1).
type argonCost struct {
	memory  uint32 // KiB
	passes  uint32
	threads uint8
}

// newArgonCost is about 20 ms of one processor; maxArgonCost bounds what a configuration may ask of this process for
// each password that is hashed.
var (
	newArgonCost = argonCost{memory: 19 << 10, passes: 2, threads: 1}
	maxArgonCost = argonCost{memory: 256 << 10, passes: 64, threads: 16}
)

const (
	argonHashSize    = 32
	minArgonHashSize = 16
	maxArgonHashSize = 64
	minArgonSaltSize = 8
)

// argonProof is a password that was hashed with argon2id.
type argonProof struct {
	cost argonCost
	salt []byte
	hash []byte
}

var _ proof = argonProof{}

func newArgonProof(password string) argonProof {
	p := argonProof{cost: newArgonCost, salt: random(newSaltSize), hash: make([]byte, argonHashSize)}
	p.hash = p.derive(password)
	return p
}

// derive hashes a password as the one of p was.
func (p argonProof) derive(password string) []byte {
	return argon2.IDKey([]byte(password), p.salt, p.cost.passes, p.cost.memory, p.cost.threads, uint32(len(p.hash)))
}

var errArgon = errors.New("not of the form $argon2id$v=19$m=19456,t=2,p=1$salt$hash")

func parseArgonProof(text string) (proof, error) {
	parts := strings.Split(text, "$")
	if len(parts) != 6 || parts[2] != fmt.Sprintf("v=%d", argon2.Version) {
		return nil, errArgon
	}
	var p argonProof
	c := &p.cost
	_, err := fmt.Sscanf(parts[3], "m=%d,t=%d,p=%d", &c.memory, &c.passes, &c.threads)
	if err != nil || c.text() != parts[3] {
		return nil, errArgon
	}
	if c.passes < 1 || c.passes > maxArgonCost.passes || c.threads < 1 || c.threads > maxArgonCost.threads ||
		c.memory < 8*uint32(c.threads) || c.memory > maxArgonCost.memory {
		return nil, fmt.Errorf("the cost is not from m=8,t=1,p=1 to %s", maxArgonCost.text())
	}
	var saltErr, hashErr error
	p.salt, saltErr = base64.RawStdEncoding.DecodeString(parts[4])
	p.hash, hashErr = base64.RawStdEncoding.DecodeString(parts[5])
	if errors.Join(saltErr, hashErr) != nil || len(p.salt) < minArgonSaltSize || len(p.salt) > maxSaltSize ||
		len(p.hash) < minArgonHashSize || len(p.hash) > maxArgonHashSize {
		return nil, errArgon
	}
	return p, nil
}

func (c argonCost) text() string { return fmt.Sprintf("m=%d,t=%d,p=%d", c.memory, c.passes, c.threads) }

func (p argonProof) form() Form { return Argon2id }

func (p argonProof) text() string {
	encode := base64.RawStdEncoding.EncodeToString
	return fmt.Sprintf("$argon2id$v=%d$%s$%s$%s", argon2.Version, p.cost.text(), encode(p.salt), encode(p.hash))
}

func (p argonProof) matches(password string) bool {
	return subtle.ConstantTimeCompare(p.derive(password), p.hash) == 1
}

func (p argonProof) decoy() proof {
	return argonProof{cost: p.cost, salt: random(len(p.salt)), hash: random(len(p.hash))}
}
