package pki

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/des"
	"crypto/pbkdf2"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"crypto/x509/pkix"
	"encoding/asn1"
	"errors"
	"hash"
)

// An encrypted private key (RFC 5958 section 3), by scheme PBES2 with PBKDF2 (RFC 8018 appendix A): what OpenSSL has written
// since version 1.0.
type (
	encryptedKey struct {
		Algorithm struct {
			Scheme     asn1.ObjectIdentifier
			Parameters struct {
				Derivation struct {
					Scheme     asn1.ObjectIdentifier
					Parameters derivation
				}
				Encryption struct {
					Scheme asn1.ObjectIdentifier
					Vector []byte
				}
			}
		}
		Data []byte
	}
	derivation struct {
		Salt       []byte
		Iterations int
		Length     int                      `asn1:"optional"`
		Function   pkix.AlgorithmIdentifier `asn1:"optional"` // none is HMAC-SHA-1
	}
)

// maxIterations bounds how long a file may have us reckon: half a minute.
const maxIterations = 1 << 24

// hashes and ciphers are those that are known, by their object identifiers.
var (
	hashes = map[string]func() hash.Hash{
		"": sha1.New, "1.2.840.113549.2.7": sha1.New, "1.2.840.113549.2.8": sha256.New224, "1.2.840.113549.2.9": sha256.New,
		"1.2.840.113549.2.10": sha512.New384, "1.2.840.113549.2.11": sha512.New,
	}
	ciphers = map[string]struct {
		key, block int // bytes
		of         func(key []byte) (cipher.Block, error)
	}{
		"1.2.840.113549.3.7":      {24, des.BlockSize, des.NewTripleDESCipher},
		"2.16.840.1.101.3.4.1.2":  {16, aes.BlockSize, aes.NewCipher},
		"2.16.840.1.101.3.4.1.22": {24, aes.BlockSize, aes.NewCipher},
		"2.16.840.1.101.3.4.1.42": {32, aes.BlockSize, aes.NewCipher},
	}
)

const (
	pbes2Scheme  = "1.2.840.113549.1.5.13"
	pbkdf2Scheme = "1.2.840.113549.1.5.12"
)

var (
	errUnknownKind = errors.New("the private key is encrypted in a way that is not known: openssl pkcs8 -topk8 -v2 aes-256-cbc writes one that is")
	errPassword    = errors.New("the private key cannot be decrypted: its password is another one")
)

// decryptPKCS8 gives the private key that a password opens, in the form PKCS #8.
func decryptPKCS8(der []byte, password string) ([]byte, error) {
	e, err := parseEncryptedKey(der)
	if err != nil {
		return nil, err
	}
	return e.open(password)
}

// parseEncryptedKey reads a private key that can be decrypted.
func parseEncryptedKey(der []byte) (*encryptedKey, error) {
	e := new(encryptedKey)
	if _, err := asn1.Unmarshal(der, e); err != nil {
		return nil, errUnknownKind
	}
	d, encryption := &e.Algorithm.Parameters.Derivation, &e.Algorithm.Parameters.Encryption
	_, knownHash := hashes[d.Parameters.Function.Algorithm.String()]
	c, knownCipher := ciphers[encryption.Scheme.String()]
	switch {
	case e.Algorithm.Scheme.String() != pbes2Scheme, d.Scheme.String() != pbkdf2Scheme, !knownHash, !knownCipher,
		d.Parameters.Iterations < 1, d.Parameters.Iterations > maxIterations,
		len(encryption.Vector) != c.block, len(e.Data) == 0, len(e.Data)%c.block != 0:
		return nil, errUnknownKind
	}
	return e, nil
}

// open decrypts the private key.
func (e *encryptedKey) open(password string) ([]byte, error) {
	d, encryption := &e.Algorithm.Parameters.Derivation.Parameters, &e.Algorithm.Parameters.Encryption
	c := ciphers[encryption.Scheme.String()]
	key, err := pbkdf2.Key(hashes[d.Function.Algorithm.String()], password, d.Salt, d.Iterations, c.key)
	if err != nil {
		return nil, err
	}
	block, err := c.of(key)
	if err != nil {
		return nil, err
	}
	cipher.NewCBCDecrypter(block, encryption.Vector).CryptBlocks(e.Data, e.Data)
	padding := int(e.Data[len(e.Data)-1]) // RFC 8018 section 6.1.1
	if padding < 1 || padding > c.block {
		return nil, errPassword
	}
	return e.Data[:len(e.Data)-padding], nil
}
