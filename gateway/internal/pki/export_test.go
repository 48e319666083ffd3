package pki

import (
	"context"
	"time"
)

// StapleDue asks servers of OCSP for what is due.
func (k *Keyring) StapleDue(ctx context.Context, now time.Time) { k.stapleDue(ctx, now) }
