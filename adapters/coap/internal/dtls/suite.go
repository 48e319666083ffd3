package dtls

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/sha256"
	"crypto/sha512"
	"fmt"
	"hash"

	"github.com/pion/dtls/v3/pkg/crypto/ccm"
	"github.com/pion/dtls/v3/pkg/crypto/prf"
)

// suite is a cipher suite.
type suite struct {
	id   uint16
	psk  bool // the client is known by a key; otherwise keys are agreed on by ECDHE, and the server has a certificate
	rsa  bool // whose key is RSA; otherwise it is of an elliptic curve
	key  int  // octets of a key
	tag  int  // octets of a tag of CCM; 0 for GCM
	hash func() hash.Hash
}

// suites are those on offer, the one we like best first. A client that offers a pre-shared key has one, and is known by
// it; constrained ones have little else than AES_128_CCM_8 (RFC 7252 section 9.1.3).
//
// Names and numbers: https://www.iana.org/assignments/tls-parameters. RFC 5487, 6655, 5289 and 7251.
func suites() []suite {
	return []suite{
		{id: 0x00A8, psk: true, key: 16, hash: sha256.New},          // TLS_PSK_WITH_AES_128_GCM_SHA256
		{id: 0xC0A4, psk: true, key: 16, tag: 16, hash: sha256.New}, // TLS_PSK_WITH_AES_128_CCM
		{id: 0xC0A8, psk: true, key: 16, tag: 8, hash: sha256.New},  // TLS_PSK_WITH_AES_128_CCM_8
		{id: 0xC02B, key: 16, hash: sha256.New},                     // TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256
		{id: 0xC02C, key: 32, hash: sha512.New384},                  // TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384
		{id: 0xC0AC, key: 16, tag: 16, hash: sha256.New},            // TLS_ECDHE_ECDSA_WITH_AES_128_CCM
		{id: 0xC0AE, key: 16, tag: 8, hash: sha256.New},             // TLS_ECDHE_ECDSA_WITH_AES_128_CCM_8
		{id: 0xC02F, rsa: true, key: 16, hash: sha256.New},          // TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256
		{id: 0xC030, rsa: true, key: 32, hash: sha512.New384},       // TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384
	}
}

// protect gives a direction of a session its keys.
func (s suite) protect(shared *scratch, key, salt []byte) (p protection, err error) {
	p.scratch = shared
	copy(p.salt[:], salt)
	block, err := aes.NewCipher(key)
	if err != nil {
		return p, err
	}
	if s.tag == 0 {
		p.aead, err = cipher.NewGCM(block)
	} else {
		p.aead, err = ccm.NewCCM(block, s.tag, len(shared.nonce))
	}
	return p, err
}

// keys derives the keys of both directions (RFC 5246 section 6.3).
func (s suite) keys(shared *scratch, master, clientRandom, serverRandom []byte) (client, server protection, err error) {
	k, err := prf.GenerateEncryptionKeys(master, clientRandom, serverRandom, 0, s.key, len(client.salt), s.hash)
	if err != nil {
		return client, server, fmt.Errorf("deriving keys: %w", err)
	}
	if client, err = s.protect(shared, k.ClientWriteKey, k.ClientWriteIV); err != nil {
		return client, server, err
	}
	server, err = s.protect(shared, k.ServerWriteKey, k.ServerWriteIV)
	return client, server, err
}
