//go:build !purego

#include "textflag.h"

// AVX2 and FMA. Go's operand order: the destination is last, and in
// VFMADD231PS a, b, c it is c += a*b; VFMADD213PS a, b, c is c = b*c + a.

// A tile of c: 6 rows of 16 columns held in Y4 to Y15, two registers a row.
//
// The rows of a (and of c and init) are found by pointers that stop at the last
// row: a tile with fewer than 6 rows computes its last row several times, and
// writes the same values to the same place.

// NEXT sets q to the row after p, or to p if there are fewer than i rows.
#define NEXT(i, p, stride, q) \
	LEAQ    (p)(stride*1), q \
	CMPQ    CX, $i           \
	CMOVQLT p, q

// FMA adds one row's product with 16 columns of b.
#define ROW(p, scratch, low, high) \
	VBROADCASTSS (p)(DX*4), scratch  \
	VFMADD231PS  Y0, scratch, low    \
	VFMADD231PS  Y1, scratch, high

// func tileAVX2(c *float32, ldc int, init *float32, ldinit int, a *float32, lda int, b *float32, ldb, k, rows int)
TEXT ·tileAVX2(SB), NOSPLIT, $0-80
	MOVQ rows+72(FP), CX

	// The sums start as the rows of init.
	MOVQ    init+16(FP), SI
	MOVQ    ldinit+24(FP), DI
	SHLQ    $2, DI
	VMOVUPS (SI), Y4
	VMOVUPS 32(SI), Y5
	NEXT(2, SI, DI, R8)
	VMOVUPS (R8), Y6
	VMOVUPS 32(R8), Y7
	NEXT(3, R8, DI, R9)
	VMOVUPS (R9), Y8
	VMOVUPS 32(R9), Y9
	NEXT(4, R9, DI, R10)
	VMOVUPS (R10), Y10
	VMOVUPS 32(R10), Y11
	NEXT(5, R10, DI, R11)
	VMOVUPS (R11), Y12
	VMOVUPS 32(R11), Y13
	NEXT(6, R11, DI, R12)
	VMOVUPS (R12), Y14
	VMOVUPS 32(R12), Y15

	MOVQ a+32(FP), R8
	MOVQ lda+40(FP), DI
	SHLQ $2, DI
	NEXT(2, R8, DI, R9)
	NEXT(3, R9, DI, R10)
	NEXT(4, R10, DI, R11)
	NEXT(5, R11, DI, R12)
	NEXT(6, R12, DI, R13)

	MOVQ b+48(FP), SI
	MOVQ ldb+56(FP), DI
	SHLQ $2, DI
	MOVQ k+64(FP), BX
	XORQ DX, DX

deeper:
	VMOVUPS (SI), Y0
	VMOVUPS 32(SI), Y1
	ROW(R8, Y2, Y4, Y5)
	ROW(R9, Y3, Y6, Y7)
	ROW(R10, Y2, Y8, Y9)
	ROW(R11, Y3, Y10, Y11)
	ROW(R12, Y2, Y12, Y13)
	ROW(R13, Y3, Y14, Y15)
	ADDQ DI, SI
	INCQ DX
	CMPQ DX, BX
	JLT  deeper

	MOVQ    c+0(FP), SI
	MOVQ    ldc+8(FP), DI
	SHLQ    $2, DI
	VMOVUPS Y4, (SI)
	VMOVUPS Y5, 32(SI)
	NEXT(2, SI, DI, R8)
	VMOVUPS Y6, (R8)
	VMOVUPS Y7, 32(R8)
	NEXT(3, R8, DI, R9)
	VMOVUPS Y8, (R9)
	VMOVUPS Y9, 32(R9)
	NEXT(4, R9, DI, R10)
	VMOVUPS Y10, (R10)
	VMOVUPS Y11, 32(R10)
	NEXT(5, R10, DI, R11)
	VMOVUPS Y12, (R11)
	VMOVUPS Y13, 32(R11)
	NEXT(6, R11, DI, R12)
	VMOVUPS Y14, (R12)
	VMOVUPS Y15, 32(R12)
	VZEROUPPER
	RET

// Constants for exp and the tail of the normal distribution.
#define CONST(name, bits) \
	DATA name<>+0(SB)/4, bits \
	GLOBL name<>(SB), RODATA, $4

CONST(lowest, $0xc2ae0000)  // -87, where exp is about the smallest normal number
CONST(log2e, $0x3fb8aa3b)   // 1/ln 2
CONST(ln2high, $0x3f317200) // ln 2 in two parts, so that n*ln2high is exact
CONST(ln2low, $0x35bfbe8e)
CONST(c7, $0x39500d01) // 1/7!
CONST(c6, $0x3ab60b61) // 1/6!
CONST(c5, $0x3c088889) // 1/5!
CONST(c4, $0x3d2aaaab) // 1/4!
CONST(c3, $0x3e2aaaab) // 1/3!
CONST(half, $0x3f000000)
CONST(one, $0x3f800000)
CONST(bias, $0x0000007f) // of the exponent
CONST(absolute, $0x7fffffff)

// EXPCONST loads what EXP needs to stay in registers.
#define EXPCONST \
	VBROADCASTSS lowest<>(SB), Y15  \
	VBROADCASTSS log2e<>(SB), Y14   \
	VBROADCASTSS ln2high<>(SB), Y13 \
	VBROADCASTSS ln2low<>(SB), Y12  \
	VBROADCASTSS c7<>(SB), Y11      \
	VBROADCASTSS c6<>(SB), Y10      \
	VBROADCASTSS c5<>(SB), Y9       \
	VBROADCASTSS c4<>(SB), Y8       \
	VBROADCASTSS one<>(SB), Y7

// EXP computes y = exp(x) for x <= 0 in Y0 with scratch Y1 and Y2, as 2^n * exp(r)
// with |r| <= ln(2)/2 and exp(r) its Taylor polynomial of degree 7, whose error
// of 5e-9 is below the precision of float32. Below -87 it is exp(-87).
#define EXP \
	VMAXPS       Y15, Y0, Y0          \
	VMULPS       Y14, Y0, Y1          \
	VROUNDPS     $0, Y1, Y1           \
	VFNMADD231PS Y13, Y1, Y0          \
	VFNMADD231PS Y12, Y1, Y0          \
	VCVTPS2DQ    Y1, Y1               \
	VPBROADCASTD bias<>(SB), Y2       \
	VPADDD       Y2, Y1, Y1           \
	VPSLLD       $23, Y1, Y1          \
	VMOVAPS      Y11, Y2              \
	VFMADD213PS  Y10, Y0, Y2          \
	VFMADD213PS  Y9, Y0, Y2           \
	VFMADD213PS  Y8, Y0, Y2           \
	VBROADCASTSS c3<>(SB), Y3         \
	VFMADD213PS  Y3, Y0, Y2           \
	VBROADCASTSS half<>(SB), Y3       \
	VFMADD213PS  Y3, Y0, Y2           \
	VFMADD213PS  Y7, Y0, Y2           \
	VFMADD213PS  Y7, Y0, Y2           \
	VMULPS       Y1, Y2, Y0

// SUM adds the lanes of Y5 into X5.
#define SUM \
	VEXTRACTF128 $1, Y5, X6  \
	VADDPS       X6, X5, X5  \
	VMOVHLPS     X5, X5, X6  \
	VADDPS       X6, X5, X5  \
	VMOVSHDUP    X5, X6      \
	VADDSS       X6, X5, X5

// func maximumAVX2(x *float32, n int) float32
TEXT ·maximumAVX2(SB), NOSPLIT, $0-20
	MOVQ    x+0(FP), SI
	MOVQ    n+8(FP), CX
	VMOVUPS (SI), Y5

more:
	VMAXPS (SI), Y5, Y5
	ADDQ   $32, SI
	SUBQ   $8, CX
	JNZ    more

	VEXTRACTF128 $1, Y5, X6
	VMAXPS       X6, X5, X5
	VMOVHLPS     X5, X5, X6
	VMAXPS       X6, X5, X5
	VMOVSHDUP    X5, X6
	VMAXSS       X6, X5, X5
	VMOVSS       X5, ret+16(FP)
	VZEROUPPER
	RET

// func expSumAVX2(x *float32, n int, scale, top float32) float32
TEXT ·expSumAVX2(SB), NOSPLIT, $0-28
	MOVQ         x+0(FP), SI
	MOVQ         n+8(FP), CX
	VBROADCASTSS scale+16(FP), Y4
	VBROADCASTSS top+20(FP), Y6
	VXORPS       Y5, Y5, Y5
	EXPCONST

more:
	VMOVUPS (SI), Y0
	VSUBPS  Y6, Y0, Y0
	VMULPS  Y4, Y0, Y0
	EXP
	VMOVUPS Y0, (SI)
	VADDPS  Y0, Y5, Y5
	ADDQ    $32, SI
	SUBQ    $8, CX
	JNZ     more

	SUM
	VMOVSS X5, ret+24(FP)
	VZEROUPPER
	RET

// func multiplyAVX2(x *float32, n int, factor float32)
TEXT ·multiplyAVX2(SB), NOSPLIT, $0-20
	MOVQ         x+0(FP), SI
	MOVQ         n+8(FP), CX
	VBROADCASTSS factor+16(FP), Y1

more:
	VMULPS  (SI), Y1, Y0
	VMOVUPS Y0, (SI)
	ADDQ    $32, SI
	SUBQ    $8, CX
	JNZ     more
	VZEROUPPER
	RET

// The upper tail of the normal distribution, for x >= 0 and z = x/sqrt(2):
// exp(-z²)·(t1·t + … + t5·t⁵) with t = 1/(1+p·z), halved. Formula 7.1.26 of
// Abramowitz and Stegun; its error is at most 0.75e-7.
CONST(tp, $0x3e6d3388) // p/sqrt(2)
CONST(t1, $0x3e027906) // half of 0.254829592
CONST(t2, $0xbe11a98e) // half of -0.284496736
CONST(t3, $0x3f35f0e3) // half of 1.421413741
CONST(t4, $0xbf3a00e3) // half of -1.453152027
CONST(t5, $0x3f07dc22) // half of 1.061405429

// func geluAVX2(x *float32, n int)
TEXT ·geluAVX2(SB), NOSPLIT, $0-16
	MOVQ x+0(FP), SI
	MOVQ n+8(FP), CX
	EXPCONST

more:
	// exp(-x²/2)
	VMOVUPS      (SI), Y4
	VMULPS       Y4, Y4, Y0
	VBROADCASTSS half<>(SB), Y1
	VMULPS       Y1, Y0, Y0
	VXORPS       Y1, Y1, Y1
	VSUBPS       Y0, Y1, Y0
	EXP

	// t, and the polynomial in t
	VBROADCASTSS absolute<>(SB), Y1
	VANDPS       Y1, Y4, Y5              // |x|
	VBROADCASTSS tp<>(SB), Y1
	VMOVAPS      Y7, Y2
	VFMADD231PS  Y1, Y5, Y2
	VDIVPS       Y2, Y7, Y2              // t
	VBROADCASTSS t5<>(SB), Y6
	VBROADCASTSS t4<>(SB), Y1
	VFMADD213PS  Y1, Y2, Y6
	VBROADCASTSS t3<>(SB), Y1
	VFMADD213PS  Y1, Y2, Y6
	VBROADCASTSS t2<>(SB), Y1
	VFMADD213PS  Y1, Y2, Y6
	VBROADCASTSS t1<>(SB), Y1
	VFMADD213PS  Y1, Y2, Y6
	VMULPS       Y2, Y6, Y6
	VMULPS       Y0, Y6, Y6              // the tail beyond |x|

	// max(x, 0) - |x|*tail
	VXORPS       Y1, Y1, Y1
	VMAXPS       Y1, Y4, Y4
	VFNMADD231PS Y5, Y6, Y4
	VMOVUPS      Y4, (SI)
	ADDQ         $32, SI
	SUBQ         $8, CX
	JNZ          more
	VZEROUPPER
	RET

// func addToAVX2(x, y *float32, n int)
TEXT ·addToAVX2(SB), NOSPLIT, $0-24
	MOVQ x+0(FP), SI
	MOVQ y+8(FP), DI
	MOVQ n+16(FP), CX

more:
	VMOVUPS (SI), Y0
	VADDPS  (DI), Y0, Y0
	VMOVUPS Y0, (SI)
	ADDQ    $32, SI
	ADDQ    $32, DI
	SUBQ    $8, CX
	JNZ     more
	VZEROUPPER
	RET

// func totalAVX2(x *float32, n int) float32
TEXT ·totalAVX2(SB), NOSPLIT, $0-20
	MOVQ   x+0(FP), SI
	MOVQ   n+8(FP), CX
	VXORPS Y5, Y5, Y5

more:
	VADDPS (SI), Y5, Y5
	ADDQ   $32, SI
	SUBQ   $8, CX
	JNZ    more

	SUM
	VMOVSS X5, ret+16(FP)
	VZEROUPPER
	RET

// func squareSumAVX2(x *float32, n int, mean float32) float32
TEXT ·squareSumAVX2(SB), NOSPLIT, $0-28
	MOVQ         x+0(FP), SI
	MOVQ         n+8(FP), CX
	VBROADCASTSS mean+16(FP), Y1
	VXORPS       Y5, Y5, Y5

more:
	VMOVUPS     (SI), Y0
	VSUBPS      Y1, Y0, Y0
	VFMADD231PS Y0, Y0, Y5
	ADDQ        $32, SI
	SUBQ        $8, CX
	JNZ         more

	SUM
	VMOVSS X5, ret+24(FP)
	VZEROUPPER
	RET

// func normalizeAVX2(x, gain, bias *float32, n int, mean, factor float32)
TEXT ·normalizeAVX2(SB), NOSPLIT, $0-40
	MOVQ         x+0(FP), SI
	MOVQ         gain+8(FP), DI
	MOVQ         bias+16(FP), R8
	MOVQ         n+24(FP), CX
	VBROADCASTSS mean+32(FP), Y1
	VBROADCASTSS factor+36(FP), Y2

more:
	VMOVUPS     (SI), Y0
	VSUBPS      Y1, Y0, Y0
	VMULPS      Y2, Y0, Y0
	VMOVUPS     (R8), Y3
	VFMADD231PS (DI), Y0, Y3
	VMOVUPS     Y3, (SI)
	ADDQ        $32, SI
	ADDQ        $32, DI
	ADDQ        $32, R8
	SUBQ        $8, CX
	JNZ         more
	VZEROUPPER
	RET
