//go:build amd64 && !purego

#include "textflag.h"

// Adds to acc the products of 16 elements of the query (at off words) with 16
// bytes of the code: the bytes become words, pairs of products become 32 bits.
#define MULADD(off, row, tmp, acc) \
	VPMOVSXBW off(row)(CX*1), tmp; \
	VPMADDWD  (2*off)(SI)(CX*2), tmp, tmp; \
	VPADDD    tmp, acc, acc

// The sum of the eight 32-bit integers of acc, to the low one of xacc.
#define SUM8(acc, xacc, xtmp) \
	VEXTRACTI128 $1, acc, xtmp; \
	VPADDD       xtmp, xacc, xacc; \
	VPSHUFD      $0x4e, xacc, xtmp; \
	VPADDD       xtmp, xacc, xacc; \
	VPSHUFD      $0xb1, xacc, xtmp; \
	VPADDD       xtmp, xacc, xacc

// func bytesDotAVX2(query *int16, codes *int8, out *int32, n, rows int)
TEXT ·bytesDotAVX2(SB), NOSPLIT, $0-40
	MOVQ query+0(FP), SI
	MOVQ codes+8(FP), R8
	MOVQ out+16(FP), DI
	MOVQ n+24(FP), DX
	MOVQ rows+32(FP), BX

	// Four codes at a time share the loads of the query.
four:
	CMPQ  BX, $4
	JLT   one
	LEAQ  (R8)(DX*1), R9
	LEAQ  (R9)(DX*1), R10
	LEAQ  (R10)(DX*1), R11
	MOVQ  R8, R12
	VPXOR Y0, Y0, Y0
	VPXOR Y1, Y1, Y1
	VPXOR Y2, Y2, Y2
	VPXOR Y3, Y3, Y3
	XORQ  CX, CX

fourloop:
	PREFETCHT0 2048(R12)
	PREFETCHT0 2112(R12)
	ADDQ       $128, R12
	MULADD(0, R8, Y4, Y0)
	MULADD(0, R9, Y5, Y1)
	MULADD(0, R10, Y6, Y2)
	MULADD(0, R11, Y7, Y3)
	MULADD(16, R8, Y8, Y0)
	MULADD(16, R9, Y9, Y1)
	MULADD(16, R10, Y10, Y2)
	MULADD(16, R11, Y11, Y3)
	ADDQ $32, CX
	CMPQ CX, DX
	JLT  fourloop

	// Y0..Y3 become the four sums.
	VPHADDD      Y1, Y0, Y0
	VPHADDD      Y3, Y2, Y2
	VPHADDD      Y2, Y0, Y0
	VEXTRACTI128 $1, Y0, X1
	VPADDD       X1, X0, X0
	VMOVDQU      X0, (DI)
	ADDQ         $16, DI
	LEAQ         (R11)(DX*1), R8
	SUBQ         $4, BX
	JMP          four

one:
	TESTQ BX, BX
	JEQ   done
	VPXOR Y0, Y0, Y0
	VPXOR Y1, Y1, Y1
	XORQ  CX, CX

oneloop:
	MULADD(0, R8, Y4, Y0)
	MULADD(16, R8, Y5, Y1)
	ADDQ $32, CX
	CMPQ CX, DX
	JLT  oneloop
	VPADDD Y1, Y0, Y0
	SUM8(Y0, X0, X1)
	VMOVD  X0, (DI)
	ADDQ   $4, DI
	ADDQ   DX, R8
	DECQ   BX
	JMP    one

done:
	VZEROUPPER
	RET

// func floatDotAVX2(query *float64, vector *float32, sums *[8]float64, n int)
TEXT ·floatDotAVX2(SB), NOSPLIT, $0-32
	MOVQ   query+0(FP), SI
	MOVQ   vector+8(FP), R8
	MOVQ   sums+16(FP), DI
	MOVQ   n+24(FP), DX
	VXORPD Y0, Y0, Y0
	VXORPD Y1, Y1, Y1
	XORQ   CX, CX

floatloop:
	VCVTPS2PD   (R8)(CX*4), Y2
	VCVTPS2PD   16(R8)(CX*4), Y3
	VFMADD231PD (SI)(CX*8), Y2, Y0
	VFMADD231PD 32(SI)(CX*8), Y3, Y1
	ADDQ        $8, CX
	CMPQ        CX, DX
	JLT         floatloop

	VMOVUPD Y0, (DI)
	VMOVUPD Y1, 32(DI)
	VZEROUPPER
	RET
