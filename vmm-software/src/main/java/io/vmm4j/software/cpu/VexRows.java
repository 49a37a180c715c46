package io.vmm4j.software.cpu;

/**
 * The rows of instructions with VEX (Intel SDM volume 2, 2.3 and appendix A), as data: {@link
 * InstructionRows} says what their words mean. The VEX forms of SSE instructions have the mnemonics
 * of those.
 *
 * <p>The words for VEX alone:
 *
 * <ul>
 *   <li>{@code l0}, {@code l1}: VEX.L has to be 0 or 1; without, both are allowed
 *   <li>{@code w0}, {@code w1}: VEX.W has to be 0 or 1; without, both are allowed
 *   <li>{@code vsib}: a SIB byte whose index is a vector register has to be there
 *   <li>{@code ymm=}: the feature that it needs besides for 256 bits
 * </ul>
 *
 * <p>Of operands, the size {@code x} is 16 bytes, or 32 with VEX.L; {@code h}, {@code f} and {@code
 * e} are a half, a quarter and an eighth of that, and {@code o} is always 16. VEX.vvvv has to be
 * 1111 where no operand is {@code B} or {@code H}.
 */
final class VexRows {
  static final String GENERAL =
      """
      VEX.NP.0F38F2    ANDN             Gy,By,Ey     faults l0 cpuid=BMI1
      VEX.NP.0F38F3/1  BLSR             By,Ey        faults l0 cpuid=BMI1
      VEX.NP.0F38F3/2  BLSMSK           By,Ey        faults l0 cpuid=BMI1
      VEX.NP.0F38F3/3  BLSI             By,Ey        faults l0 cpuid=BMI1
      VEX.NP.0F38F5    BZHI             Gy,Ey,By     faults l0 cpuid=BMI2
      VEX.F3.0F38F5    PEXT             Gy,By,Ey     faults l0 cpuid=BMI2
      VEX.F2.0F38F5    PDEP             Gy,By,Ey     faults l0 cpuid=BMI2
      VEX.F2.0F38F6    MULX             Gy,By,Ey     faults l0 cpuid=BMI2
      VEX.NP.0F38F7    BEXTR            Gy,Ey,By     faults l0 cpuid=BMI1
      VEX.66.0F38F7    SHLX             Gy,Ey,By     faults l0 cpuid=BMI2
      VEX.F3.0F38F7    SARX             Gy,Ey,By     faults l0 cpuid=BMI2
      VEX.F2.0F38F7    SHRX             Gy,Ey,By     faults l0 cpuid=BMI2
      VEX.F2.0F3AF0    RORX             Gy,Ey,Ib     faults l0 cpuid=BMI2
      """;

  static final String TWO_BYTE =
      """
      VEX.NP.0F10      MOVUPS           Vx,Wx        cpuid=AVX
      VEX.66.0F10      MOVUPD           Vx,Wx        cpuid=AVX
      VEX.F3.0F10m     MOVSS            Vd,Md        cpuid=AVX
      VEX.F3.0F10r     MOVSS            Vd,Hd,Ud     cpuid=AVX
      VEX.F2.0F10m     MOVSD            Vq,Mq        cpuid=AVX
      VEX.F2.0F10r     MOVSD            Vq,Hq,Uq     cpuid=AVX
      VEX.NP.0F11      MOVUPS           Wx,Vx        cpuid=AVX
      VEX.66.0F11      MOVUPD           Wx,Vx        cpuid=AVX
      VEX.F3.0F11m     MOVSS            Md,Vd        cpuid=AVX
      VEX.F3.0F11r     MOVSS            Ud,Hd,Vd     cpuid=AVX
      VEX.F2.0F11m     MOVSD            Mq,Vq        cpuid=AVX
      VEX.F2.0F11r     MOVSD            Uq,Hq,Vq     cpuid=AVX
      VEX.NP.0F12r     MOVHLPS          Vq,Hq,Uq     l0 cpuid=AVX
      VEX.NP.0F12m     MOVLPS           Vq,Hq,Mq     l0 cpuid=AVX
      VEX.66.0F12m     MOVLPD           Vq,Hq,Mq     l0 cpuid=AVX
      VEX.F3.0F12      MOVSLDUP         Vx,Wx        cpuid=AVX
      VEX.F2.0F12      MOVDDUP          Vx,Wq        l0 cpuid=AVX
      VEX.F2.0F12      MOVDDUP          Vx,Wx        l1 cpuid=AVX
      VEX.NP.0F13m     MOVLPS           Mq,Vq        l0 cpuid=AVX
      VEX.66.0F13m     MOVLPD           Mq,Vq        l0 cpuid=AVX
      VEX.NP.0F14      UNPCKLPS         Vx,Hx,Wx     cpuid=AVX
      VEX.66.0F14      UNPCKLPD         Vx,Hx,Wx     cpuid=AVX
      VEX.NP.0F15      UNPCKHPS         Vx,Hx,Wx     cpuid=AVX
      VEX.66.0F15      UNPCKHPD         Vx,Hx,Wx     cpuid=AVX
      VEX.NP.0F16r     MOVLHPS          Vq,Hq,Uq     l0 cpuid=AVX
      VEX.NP.0F16m     MOVHPS           Vq,Hq,Mq     l0 cpuid=AVX
      VEX.66.0F16m     MOVHPD           Vq,Hq,Mq     l0 cpuid=AVX
      VEX.F3.0F16      MOVSHDUP         Vx,Wx        cpuid=AVX
      VEX.NP.0F17m     MOVHPS           Mq,Vq        l0 cpuid=AVX
      VEX.66.0F17m     MOVHPD           Mq,Vq        l0 cpuid=AVX
      VEX.NP.0F28      MOVAPS           Vx,Wx        cpuid=AVX
      VEX.66.0F28      MOVAPD           Vx,Wx        cpuid=AVX
      VEX.NP.0F29      MOVAPS           Wx,Vx        cpuid=AVX
      VEX.66.0F29      MOVAPD           Wx,Vx        cpuid=AVX
      VEX.F3.0F2A      CVTSI2SS         Vd,Hd,Ey     cpuid=AVX
      VEX.F2.0F2A      CVTSI2SD         Vq,Hq,Ey     cpuid=AVX
      VEX.NP.0F2Bm     MOVNTPS          Mx,Vx        cpuid=AVX
      VEX.66.0F2Bm     MOVNTPD          Mx,Vx        cpuid=AVX
      VEX.F3.0F2C      CVTTSS2SI        Gy,Wd        cpuid=AVX
      VEX.F2.0F2C      CVTTSD2SI        Gy,Wq        cpuid=AVX
      VEX.F3.0F2D      CVTSS2SI         Gy,Wd        cpuid=AVX
      VEX.F2.0F2D      CVTSD2SI         Gy,Wq        cpuid=AVX
      VEX.NP.0F2E      UCOMISS          Vd,Wd        cpuid=AVX
      VEX.66.0F2E      UCOMISD          Vq,Wq        cpuid=AVX
      VEX.NP.0F2F      COMISS           Vd,Wd        cpuid=AVX
      VEX.66.0F2F      COMISD           Vq,Wq        cpuid=AVX
      VEX.NP.0F50r     MOVMSKPS         Gd,Ux        cpuid=AVX
      VEX.66.0F50r     MOVMSKPD         Gd,Ux        cpuid=AVX
      VEX.NP.0F51      SQRTPS           Vx,Wx        cpuid=AVX
      VEX.66.0F51      SQRTPD           Vx,Wx        cpuid=AVX
      VEX.F3.0F51      SQRTSS           Vd,Hd,Wd     cpuid=AVX
      VEX.F2.0F51      SQRTSD           Vq,Hq,Wq     cpuid=AVX
      VEX.NP.0F52      RSQRTPS          Vx,Wx        cpuid=AVX
      VEX.F3.0F52      RSQRTSS          Vd,Hd,Wd     cpuid=AVX
      VEX.NP.0F53      RCPPS            Vx,Wx        cpuid=AVX
      VEX.F3.0F53      RCPSS            Vd,Hd,Wd     cpuid=AVX
      VEX.NP.0F54      ANDPS            Vx,Hx,Wx     cpuid=AVX
      VEX.66.0F54      ANDPD            Vx,Hx,Wx     cpuid=AVX
      VEX.NP.0F55      ANDNPS           Vx,Hx,Wx     cpuid=AVX
      VEX.66.0F55      ANDNPD           Vx,Hx,Wx     cpuid=AVX
      VEX.NP.0F56      ORPS             Vx,Hx,Wx     cpuid=AVX
      VEX.66.0F56      ORPD             Vx,Hx,Wx     cpuid=AVX
      VEX.NP.0F57      XORPS            Vx,Hx,Wx     cpuid=AVX
      VEX.66.0F57      XORPD            Vx,Hx,Wx     cpuid=AVX
      VEX.NP.0F58      ADDPS            Vx,Hx,Wx     cpuid=AVX
      VEX.66.0F58      ADDPD            Vx,Hx,Wx     cpuid=AVX
      VEX.F3.0F58      ADDSS            Vd,Hd,Wd     cpuid=AVX
      VEX.F2.0F58      ADDSD            Vq,Hq,Wq     cpuid=AVX
      VEX.NP.0F59      MULPS            Vx,Hx,Wx     cpuid=AVX
      VEX.66.0F59      MULPD            Vx,Hx,Wx     cpuid=AVX
      VEX.F3.0F59      MULSS            Vd,Hd,Wd     cpuid=AVX
      VEX.F2.0F59      MULSD            Vq,Hq,Wq     cpuid=AVX
      VEX.NP.0F5A      CVTPS2PD         Vx,Wh        cpuid=AVX
      VEX.66.0F5A      CVTPD2PS         Vo,Wx        cpuid=AVX
      VEX.F3.0F5A      CVTSS2SD         Vq,Hq,Wd     cpuid=AVX
      VEX.F2.0F5A      CVTSD2SS         Vd,Hd,Wq     cpuid=AVX
      VEX.NP.0F5B      CVTDQ2PS         Vx,Wx        cpuid=AVX
      VEX.66.0F5B      CVTPS2DQ         Vx,Wx        cpuid=AVX
      VEX.F3.0F5B      CVTTPS2DQ        Vx,Wx        cpuid=AVX
      VEX.NP.0F5C      SUBPS            Vx,Hx,Wx     cpuid=AVX
      VEX.66.0F5C      SUBPD            Vx,Hx,Wx     cpuid=AVX
      VEX.F3.0F5C      SUBSS            Vd,Hd,Wd     cpuid=AVX
      VEX.F2.0F5C      SUBSD            Vq,Hq,Wq     cpuid=AVX
      VEX.NP.0F5D      MINPS            Vx,Hx,Wx     cpuid=AVX
      VEX.66.0F5D      MINPD            Vx,Hx,Wx     cpuid=AVX
      VEX.F3.0F5D      MINSS            Vd,Hd,Wd     cpuid=AVX
      VEX.F2.0F5D      MINSD            Vq,Hq,Wq     cpuid=AVX
      VEX.NP.0F5E      DIVPS            Vx,Hx,Wx     cpuid=AVX
      VEX.66.0F5E      DIVPD            Vx,Hx,Wx     cpuid=AVX
      VEX.F3.0F5E      DIVSS            Vd,Hd,Wd     cpuid=AVX
      VEX.F2.0F5E      DIVSD            Vq,Hq,Wq     cpuid=AVX
      VEX.NP.0F5F      MAXPS            Vx,Hx,Wx     cpuid=AVX
      VEX.66.0F5F      MAXPD            Vx,Hx,Wx     cpuid=AVX
      VEX.F3.0F5F      MAXSS            Vd,Hd,Wd     cpuid=AVX
      VEX.F2.0F5F      MAXSD            Vq,Hq,Wq     cpuid=AVX
      VEX.66.0F60      PUNPCKLBW        Vx,Hx,Wx     cpuid=AVX ymm=AVX2
      VEX.66.0F61      PUNPCKLWD        Vx,Hx,Wx     cpuid=AVX ymm=AVX2
      VEX.66.0F62      PUNPCKLDQ        Vx,Hx,Wx     cpuid=AVX ymm=AVX2
      VEX.66.0F63      PACKSSWB         Vx,Hx,Wx     cpuid=AVX ymm=AVX2
      VEX.66.0F64      PCMPGTB          Vx,Hx,Wx     cpuid=AVX ymm=AVX2
      VEX.66.0F65      PCMPGTW          Vx,Hx,Wx     cpuid=AVX ymm=AVX2
      VEX.66.0F66      PCMPGTD          Vx,Hx,Wx     cpuid=AVX ymm=AVX2
      VEX.66.0F67      PACKUSWB         Vx,Hx,Wx     cpuid=AVX ymm=AVX2
      VEX.66.0F68      PUNPCKHBW        Vx,Hx,Wx     cpuid=AVX ymm=AVX2
      VEX.66.0F69      PUNPCKHWD        Vx,Hx,Wx     cpuid=AVX ymm=AVX2
      VEX.66.0F6A      PUNPCKHDQ        Vx,Hx,Wx     cpuid=AVX ymm=AVX2
      VEX.66.0F6B      PACKSSDW         Vx,Hx,Wx     cpuid=AVX ymm=AVX2
      VEX.66.0F6C      PUNPCKLQDQ       Vx,Hx,Wx     cpuid=AVX ymm=AVX2
      VEX.66.0F6D      PUNPCKHQDQ       Vx,Hx,Wx     cpuid=AVX ymm=AVX2
      VEX.66.0F6E      MOVD             Vx,Ey        l0 cpuid=AVX
      VEX.66.0F6F      MOVDQA           Vx,Wx        cpuid=AVX
      VEX.F3.0F6F      MOVDQU           Vx,Wx        cpuid=AVX
      VEX.66.0F70      PSHUFD           Vx,Wx,Ib     cpuid=AVX ymm=AVX2
      VEX.F3.0F70      PSHUFHW          Vx,Wx,Ib     cpuid=AVX ymm=AVX2
      VEX.F2.0F70      PSHUFLW          Vx,Wx,Ib     cpuid=AVX ymm=AVX2
      VEX.66.0F71/2r   PSRLW            Hx,Ux,Ib     cpuid=AVX ymm=AVX2
      VEX.66.0F71/4r   PSRAW            Hx,Ux,Ib     cpuid=AVX ymm=AVX2
      VEX.66.0F71/6r   PSLLW            Hx,Ux,Ib     cpuid=AVX ymm=AVX2
      VEX.66.0F72/2r   PSRLD            Hx,Ux,Ib     cpuid=AVX ymm=AVX2
      VEX.66.0F72/4r   PSRAD            Hx,Ux,Ib     cpuid=AVX ymm=AVX2
      VEX.66.0F72/6r   PSLLD            Hx,Ux,Ib     cpuid=AVX ymm=AVX2
      VEX.66.0F73/2r   PSRLQ            Hx,Ux,Ib     cpuid=AVX ymm=AVX2
      VEX.66.0F73/3r   PSRLDQ           Hx,Ux,Ib     cpuid=AVX ymm=AVX2
      VEX.66.0F73/6r   PSLLQ            Hx,Ux,Ib     cpuid=AVX ymm=AVX2
      VEX.66.0F73/7r   PSLLDQ           Hx,Ux,Ib     cpuid=AVX ymm=AVX2
      VEX.66.0F74      PCMPEQB          Vx,Hx,Wx     cpuid=AVX ymm=AVX2
      VEX.66.0F75      PCMPEQW          Vx,Hx,Wx     cpuid=AVX ymm=AVX2
      VEX.66.0F76      PCMPEQD          Vx,Hx,Wx     cpuid=AVX ymm=AVX2
      VEX.NP.0F77      VZEROUPPER       -            l0 cpuid=AVX
      VEX.NP.0F77      VZEROALL         -            l1 cpuid=AVX
      VEX.66.0F7C      HADDPD           Vx,Hx,Wx     cpuid=AVX
      VEX.F2.0F7C      HADDPS           Vx,Hx,Wx     cpuid=AVX
      VEX.66.0F7D      HSUBPD           Vx,Hx,Wx     cpuid=AVX
      VEX.F2.0F7D      HSUBPS           Vx,Hx,Wx     cpuid=AVX
      VEX.66.0F7E      MOVD             Ey,Vx        l0 cpuid=AVX
      VEX.F3.0F7E      MOVQ             Vq,Wq        l0 cpuid=AVX
      VEX.66.0F7F      MOVDQA           Wx,Vx        cpuid=AVX
      VEX.F3.0F7F      MOVDQU           Wx,Vx        cpuid=AVX
      VEX.NP.0FAE/2m   LDMXCSR          Md           l0 cpuid=AVX
      VEX.NP.0FAE/3m   STMXCSR          Md           l0 cpuid=AVX
      VEX.NP.0FC2      CMPPS            Vx,Hx,Wx,Ib  cpuid=AVX
      VEX.66.0FC2      CMPPD            Vx,Hx,Wx,Ib  cpuid=AVX
      VEX.F3.0FC2      CMPSS            Vd,Hd,Wd,Ib  cpuid=AVX
      VEX.F2.0FC2      CMPSD            Vq,Hq,Wq,Ib  cpuid=AVX
      VEX.66.0FC4      PINSRW           Vx,Hx,Ew,Ib  l0 cpuid=AVX
      VEX.66.0FC5r     PEXTRW           Gd,Ux,Ib     l0 cpuid=AVX
      VEX.NP.0FC6      SHUFPS           Vx,Hx,Wx,Ib  cpuid=AVX
      VEX.66.0FC6      SHUFPD           Vx,Hx,Wx,Ib  cpuid=AVX
      VEX.66.0FD0      ADDSUBPD         Vx,Hx,Wx     cpuid=AVX
      VEX.F2.0FD0      ADDSUBPS         Vx,Hx,Wx     cpuid=AVX
      VEX.66.0FD1      PSRLW            Vx,Hx,Wo     cpuid=AVX ymm=AVX2
      VEX.66.0FD2      PSRLD            Vx,Hx,Wo     cpuid=AVX ymm=AVX2
      VEX.66.0FD3      PSRLQ            Vx,Hx,Wo     cpuid=AVX ymm=AVX2
      VEX.66.0FD4      PADDQ            Vx,Hx,Wx     cpuid=AVX ymm=AVX2
      VEX.66.0FD5      PMULLW           Vx,Hx,Wx     cpuid=AVX ymm=AVX2
      VEX.66.0FD6      MOVQ             Wq,Vq        l0 cpuid=AVX
      VEX.66.0FD7r     PMOVMSKB         Gd,Ux        cpuid=AVX ymm=AVX2
      VEX.66.0FD8      PSUBUSB          Vx,Hx,Wx     cpuid=AVX ymm=AVX2
      VEX.66.0FD9      PSUBUSW          Vx,Hx,Wx     cpuid=AVX ymm=AVX2
      VEX.66.0FDA      PMINUB           Vx,Hx,Wx     cpuid=AVX ymm=AVX2
      VEX.66.0FDB      PAND             Vx,Hx,Wx     cpuid=AVX ymm=AVX2
      VEX.66.0FDC      PADDUSB          Vx,Hx,Wx     cpuid=AVX ymm=AVX2
      VEX.66.0FDD      PADDUSW          Vx,Hx,Wx     cpuid=AVX ymm=AVX2
      VEX.66.0FDE      PMAXUB           Vx,Hx,Wx     cpuid=AVX ymm=AVX2
      VEX.66.0FDF      PANDN            Vx,Hx,Wx     cpuid=AVX ymm=AVX2
      VEX.66.0FE0      PAVGB            Vx,Hx,Wx     cpuid=AVX ymm=AVX2
      VEX.66.0FE1      PSRAW            Vx,Hx,Wo     cpuid=AVX ymm=AVX2
      VEX.66.0FE2      PSRAD            Vx,Hx,Wo     cpuid=AVX ymm=AVX2
      VEX.66.0FE3      PAVGW            Vx,Hx,Wx     cpuid=AVX ymm=AVX2
      VEX.66.0FE4      PMULHUW          Vx,Hx,Wx     cpuid=AVX ymm=AVX2
      VEX.66.0FE5      PMULHW           Vx,Hx,Wx     cpuid=AVX ymm=AVX2
      VEX.66.0FE6      CVTTPD2DQ        Vo,Wx        cpuid=AVX
      VEX.F3.0FE6      CVTDQ2PD         Vx,Wh        cpuid=AVX
      VEX.F2.0FE6      CVTPD2DQ         Vo,Wx        cpuid=AVX
      VEX.66.0FE7m     MOVNTDQ          Mx,Vx        cpuid=AVX
      VEX.66.0FE8      PSUBSB           Vx,Hx,Wx     cpuid=AVX ymm=AVX2
      VEX.66.0FE9      PSUBSW           Vx,Hx,Wx     cpuid=AVX ymm=AVX2
      VEX.66.0FEA      PMINSW           Vx,Hx,Wx     cpuid=AVX ymm=AVX2
      VEX.66.0FEB      POR              Vx,Hx,Wx     cpuid=AVX ymm=AVX2
      VEX.66.0FEC      PADDSB           Vx,Hx,Wx     cpuid=AVX ymm=AVX2
      VEX.66.0FED      PADDSW           Vx,Hx,Wx     cpuid=AVX ymm=AVX2
      VEX.66.0FEE      PMAXSW           Vx,Hx,Wx     cpuid=AVX ymm=AVX2
      VEX.66.0FEF      PXOR             Vx,Hx,Wx     cpuid=AVX ymm=AVX2
      VEX.F2.0FF0m     LDDQU            Vx,Mx        cpuid=AVX
      VEX.66.0FF1      PSLLW            Vx,Hx,Wo     cpuid=AVX ymm=AVX2
      VEX.66.0FF2      PSLLD            Vx,Hx,Wo     cpuid=AVX ymm=AVX2
      VEX.66.0FF3      PSLLQ            Vx,Hx,Wo     cpuid=AVX ymm=AVX2
      VEX.66.0FF4      PMULUDQ          Vx,Hx,Wx     cpuid=AVX ymm=AVX2
      VEX.66.0FF5      PMADDWD          Vx,Hx,Wx     cpuid=AVX ymm=AVX2
      VEX.66.0FF6      PSADBW           Vx,Hx,Wx     cpuid=AVX ymm=AVX2
      VEX.66.0FF7r     MASKMOVDQU       Vx,Ux        memory l0 cpuid=AVX
      VEX.66.0FF8      PSUBB            Vx,Hx,Wx     cpuid=AVX ymm=AVX2
      VEX.66.0FF9      PSUBW            Vx,Hx,Wx     cpuid=AVX ymm=AVX2
      VEX.66.0FFA      PSUBD            Vx,Hx,Wx     cpuid=AVX ymm=AVX2
      VEX.66.0FFB      PSUBQ            Vx,Hx,Wx     cpuid=AVX ymm=AVX2
      VEX.66.0FFC      PADDB            Vx,Hx,Wx     cpuid=AVX ymm=AVX2
      VEX.66.0FFD      PADDW            Vx,Hx,Wx     cpuid=AVX ymm=AVX2
      VEX.66.0FFE      PADDD            Vx,Hx,Wx     cpuid=AVX ymm=AVX2
      """;

  static final String THREE_BYTE =
      """
      VEX.66.0F3800    PSHUFB           Vx,Hx,Wx     cpuid=AVX ymm=AVX2
      VEX.66.0F3801    PHADDW           Vx,Hx,Wx     cpuid=AVX ymm=AVX2
      VEX.66.0F3802    PHADDD           Vx,Hx,Wx     cpuid=AVX ymm=AVX2
      VEX.66.0F3803    PHADDSW          Vx,Hx,Wx     cpuid=AVX ymm=AVX2
      VEX.66.0F3804    PMADDUBSW        Vx,Hx,Wx     cpuid=AVX ymm=AVX2
      VEX.66.0F3805    PHSUBW           Vx,Hx,Wx     cpuid=AVX ymm=AVX2
      VEX.66.0F3806    PHSUBD           Vx,Hx,Wx     cpuid=AVX ymm=AVX2
      VEX.66.0F3807    PHSUBSW          Vx,Hx,Wx     cpuid=AVX ymm=AVX2
      VEX.66.0F3808    PSIGNB           Vx,Hx,Wx     cpuid=AVX ymm=AVX2
      VEX.66.0F3809    PSIGNW           Vx,Hx,Wx     cpuid=AVX ymm=AVX2
      VEX.66.0F380A    PSIGND           Vx,Hx,Wx     cpuid=AVX ymm=AVX2
      VEX.66.0F380B    PMULHRSW         Vx,Hx,Wx     cpuid=AVX ymm=AVX2
      VEX.66.0F380C    VPERMILPS        Vx,Hx,Wx     w0 cpuid=AVX
      VEX.66.0F380D    VPERMILPD        Vx,Hx,Wx     w0 cpuid=AVX
      VEX.66.0F380E    VTESTPS          Vx,Wx        w0 cpuid=AVX
      VEX.66.0F380F    VTESTPD          Vx,Wx        w0 cpuid=AVX
      VEX.66.0F3813    VCVTPH2PS        Vx,Wh        w0 cpuid=F16C
      VEX.66.0F3816    VPERMPS          Vx,Hx,Wx     w0 l1 cpuid=AVX2
      VEX.66.0F3817    PTEST            Vx,Wx        cpuid=AVX
      VEX.66.0F3818m   VBROADCASTSS     Vx,Md        w0 cpuid=AVX
      VEX.66.0F3818r   VBROADCASTSS     Vx,Ud        w0 cpuid=AVX2
      VEX.66.0F3819m   VBROADCASTSD     Vx,Mq        w0 l1 cpuid=AVX
      VEX.66.0F3819r   VBROADCASTSD     Vx,Uq        w0 l1 cpuid=AVX2
      VEX.66.0F381Am   VBROADCASTF128   Vx,Mo        w0 l1 cpuid=AVX
      VEX.66.0F381C    PABSB            Vx,Wx        cpuid=AVX ymm=AVX2
      VEX.66.0F381D    PABSW            Vx,Wx        cpuid=AVX ymm=AVX2
      VEX.66.0F381E    PABSD            Vx,Wx        cpuid=AVX ymm=AVX2
      VEX.66.0F3820    PMOVSXBW         Vx,Wh        cpuid=AVX ymm=AVX2
      VEX.66.0F3821    PMOVSXBD         Vx,Wf        cpuid=AVX ymm=AVX2
      VEX.66.0F3822    PMOVSXBQ         Vx,We        cpuid=AVX ymm=AVX2
      VEX.66.0F3823    PMOVSXWD         Vx,Wh        cpuid=AVX ymm=AVX2
      VEX.66.0F3824    PMOVSXWQ         Vx,Wf        cpuid=AVX ymm=AVX2
      VEX.66.0F3825    PMOVSXDQ         Vx,Wh        cpuid=AVX ymm=AVX2
      VEX.66.0F3828    PMULDQ           Vx,Hx,Wx     cpuid=AVX ymm=AVX2
      VEX.66.0F3829    PCMPEQQ          Vx,Hx,Wx     cpuid=AVX ymm=AVX2
      VEX.66.0F382Am   MOVNTDQA         Vx,Mx        cpuid=AVX ymm=AVX2
      VEX.66.0F382B    PACKUSDW         Vx,Hx,Wx     cpuid=AVX ymm=AVX2
      VEX.66.0F382Cm   VMASKMOVPS       Vx,Hx,Mx     w0 cpuid=AVX
      VEX.66.0F382Dm   VMASKMOVPD       Vx,Hx,Mx     w0 cpuid=AVX
      VEX.66.0F382Em   VMASKMOVPS       Mx,Hx,Vx     w0 cpuid=AVX
      VEX.66.0F382Fm   VMASKMOVPD       Mx,Hx,Vx     w0 cpuid=AVX
      VEX.66.0F3830    PMOVZXBW         Vx,Wh        cpuid=AVX ymm=AVX2
      VEX.66.0F3831    PMOVZXBD         Vx,Wf        cpuid=AVX ymm=AVX2
      VEX.66.0F3832    PMOVZXBQ         Vx,We        cpuid=AVX ymm=AVX2
      VEX.66.0F3833    PMOVZXWD         Vx,Wh        cpuid=AVX ymm=AVX2
      VEX.66.0F3834    PMOVZXWQ         Vx,Wf        cpuid=AVX ymm=AVX2
      VEX.66.0F3835    PMOVZXDQ         Vx,Wh        cpuid=AVX ymm=AVX2
      VEX.66.0F3836    VPERMD           Vx,Hx,Wx     w0 l1 cpuid=AVX2
      VEX.66.0F3837    PCMPGTQ          Vx,Hx,Wx     cpuid=AVX ymm=AVX2
      VEX.66.0F3838    PMINSB           Vx,Hx,Wx     cpuid=AVX ymm=AVX2
      VEX.66.0F3839    PMINSD           Vx,Hx,Wx     cpuid=AVX ymm=AVX2
      VEX.66.0F383A    PMINUW           Vx,Hx,Wx     cpuid=AVX ymm=AVX2
      VEX.66.0F383B    PMINUD           Vx,Hx,Wx     cpuid=AVX ymm=AVX2
      VEX.66.0F383C    PMAXSB           Vx,Hx,Wx     cpuid=AVX ymm=AVX2
      VEX.66.0F383D    PMAXSD           Vx,Hx,Wx     cpuid=AVX ymm=AVX2
      VEX.66.0F383E    PMAXUW           Vx,Hx,Wx     cpuid=AVX ymm=AVX2
      VEX.66.0F383F    PMAXUD           Vx,Hx,Wx     cpuid=AVX ymm=AVX2
      VEX.66.0F3840    PMULLD           Vx,Hx,Wx     cpuid=AVX ymm=AVX2
      VEX.66.0F3841    PHMINPOSUW       Vx,Wx        l0 cpuid=AVX
      VEX.66.0F3845    VPSRLVD          Vx,Hx,Wx     w0 cpuid=AVX2
      VEX.66.0F3845    VPSRLVQ          Vx,Hx,Wx     w1 cpuid=AVX2
      VEX.66.0F3846    VPSRAVD          Vx,Hx,Wx     w0 cpuid=AVX2
      VEX.66.0F3847    VPSLLVD          Vx,Hx,Wx     w0 cpuid=AVX2
      VEX.66.0F3847    VPSLLVQ          Vx,Hx,Wx     w1 cpuid=AVX2
      VEX.66.0F3858    VPBROADCASTD     Vx,Wd        w0 cpuid=AVX2
      VEX.66.0F3859    VPBROADCASTQ     Vx,Wq        w0 cpuid=AVX2
      VEX.66.0F385Am   VBROADCASTI128   Vx,Mo        w0 l1 cpuid=AVX2
      VEX.66.0F3878    VPBROADCASTB     Vx,Wb        w0 cpuid=AVX2
      VEX.66.0F3879    VPBROADCASTW     Vx,Ww        w0 cpuid=AVX2
      VEX.66.0F388Cm   VPMASKMOVD       Vx,Hx,Mx     w0 cpuid=AVX2
      VEX.66.0F388Cm   VPMASKMOVQ       Vx,Hx,Mx     w1 cpuid=AVX2
      VEX.66.0F388Em   VPMASKMOVD       Mx,Hx,Vx     w0 cpuid=AVX2
      VEX.66.0F388Em   VPMASKMOVQ       Mx,Hx,Vx     w1 cpuid=AVX2
      VEX.66.0F3890m   VPGATHERDD       Vx,Md,Hx     w0 vsib cpuid=AVX2
      VEX.66.0F3890m   VPGATHERDQ       Vx,Mq,Hx     w1 vsib cpuid=AVX2
      VEX.66.0F3891m   VPGATHERQD       Vx,Md,Hx     w0 vsib cpuid=AVX2
      VEX.66.0F3891m   VPGATHERQQ       Vx,Mq,Hx     w1 vsib cpuid=AVX2
      VEX.66.0F3892m   VGATHERDPS       Vx,Md,Hx     w0 vsib cpuid=AVX2
      VEX.66.0F3892m   VGATHERDPD       Vx,Mq,Hx     w1 vsib cpuid=AVX2
      VEX.66.0F3893m   VGATHERQPS       Vx,Md,Hx     w0 vsib cpuid=AVX2
      VEX.66.0F3893m   VGATHERQPD       Vx,Mq,Hx     w1 vsib cpuid=AVX2
      VEX.66.0F3896    VFMADDSUB132PS   Vx,Hx,Wx     w0 cpuid=FMA
      VEX.66.0F3896    VFMADDSUB132PD   Vx,Hx,Wx     w1 cpuid=FMA
      VEX.66.0F3897    VFMSUBADD132PS   Vx,Hx,Wx     w0 cpuid=FMA
      VEX.66.0F3897    VFMSUBADD132PD   Vx,Hx,Wx     w1 cpuid=FMA
      VEX.66.0F3898    VFMADD132PS      Vx,Hx,Wx     w0 cpuid=FMA
      VEX.66.0F3898    VFMADD132PD      Vx,Hx,Wx     w1 cpuid=FMA
      VEX.66.0F3899    VFMADD132SS      Vd,Hd,Wd     w0 cpuid=FMA
      VEX.66.0F3899    VFMADD132SD      Vq,Hq,Wq     w1 cpuid=FMA
      VEX.66.0F389A    VFMSUB132PS      Vx,Hx,Wx     w0 cpuid=FMA
      VEX.66.0F389A    VFMSUB132PD      Vx,Hx,Wx     w1 cpuid=FMA
      VEX.66.0F389B    VFMSUB132SS      Vd,Hd,Wd     w0 cpuid=FMA
      VEX.66.0F389B    VFMSUB132SD      Vq,Hq,Wq     w1 cpuid=FMA
      VEX.66.0F389C    VFNMADD132PS     Vx,Hx,Wx     w0 cpuid=FMA
      VEX.66.0F389C    VFNMADD132PD     Vx,Hx,Wx     w1 cpuid=FMA
      VEX.66.0F389D    VFNMADD132SS     Vd,Hd,Wd     w0 cpuid=FMA
      VEX.66.0F389D    VFNMADD132SD     Vq,Hq,Wq     w1 cpuid=FMA
      VEX.66.0F389E    VFNMSUB132PS     Vx,Hx,Wx     w0 cpuid=FMA
      VEX.66.0F389E    VFNMSUB132PD     Vx,Hx,Wx     w1 cpuid=FMA
      VEX.66.0F389F    VFNMSUB132SS     Vd,Hd,Wd     w0 cpuid=FMA
      VEX.66.0F389F    VFNMSUB132SD     Vq,Hq,Wq     w1 cpuid=FMA
      VEX.66.0F38A6    VFMADDSUB213PS   Vx,Hx,Wx     w0 cpuid=FMA
      VEX.66.0F38A6    VFMADDSUB213PD   Vx,Hx,Wx     w1 cpuid=FMA
      VEX.66.0F38A7    VFMSUBADD213PS   Vx,Hx,Wx     w0 cpuid=FMA
      VEX.66.0F38A7    VFMSUBADD213PD   Vx,Hx,Wx     w1 cpuid=FMA
      VEX.66.0F38A8    VFMADD213PS      Vx,Hx,Wx     w0 cpuid=FMA
      VEX.66.0F38A8    VFMADD213PD      Vx,Hx,Wx     w1 cpuid=FMA
      VEX.66.0F38A9    VFMADD213SS      Vd,Hd,Wd     w0 cpuid=FMA
      VEX.66.0F38A9    VFMADD213SD      Vq,Hq,Wq     w1 cpuid=FMA
      VEX.66.0F38AA    VFMSUB213PS      Vx,Hx,Wx     w0 cpuid=FMA
      VEX.66.0F38AA    VFMSUB213PD      Vx,Hx,Wx     w1 cpuid=FMA
      VEX.66.0F38AB    VFMSUB213SS      Vd,Hd,Wd     w0 cpuid=FMA
      VEX.66.0F38AB    VFMSUB213SD      Vq,Hq,Wq     w1 cpuid=FMA
      VEX.66.0F38AC    VFNMADD213PS     Vx,Hx,Wx     w0 cpuid=FMA
      VEX.66.0F38AC    VFNMADD213PD     Vx,Hx,Wx     w1 cpuid=FMA
      VEX.66.0F38AD    VFNMADD213SS     Vd,Hd,Wd     w0 cpuid=FMA
      VEX.66.0F38AD    VFNMADD213SD     Vq,Hq,Wq     w1 cpuid=FMA
      VEX.66.0F38AE    VFNMSUB213PS     Vx,Hx,Wx     w0 cpuid=FMA
      VEX.66.0F38AE    VFNMSUB213PD     Vx,Hx,Wx     w1 cpuid=FMA
      VEX.66.0F38AF    VFNMSUB213SS     Vd,Hd,Wd     w0 cpuid=FMA
      VEX.66.0F38AF    VFNMSUB213SD     Vq,Hq,Wq     w1 cpuid=FMA
      VEX.66.0F38B6    VFMADDSUB231PS   Vx,Hx,Wx     w0 cpuid=FMA
      VEX.66.0F38B6    VFMADDSUB231PD   Vx,Hx,Wx     w1 cpuid=FMA
      VEX.66.0F38B7    VFMSUBADD231PS   Vx,Hx,Wx     w0 cpuid=FMA
      VEX.66.0F38B7    VFMSUBADD231PD   Vx,Hx,Wx     w1 cpuid=FMA
      VEX.66.0F38B8    VFMADD231PS      Vx,Hx,Wx     w0 cpuid=FMA
      VEX.66.0F38B8    VFMADD231PD      Vx,Hx,Wx     w1 cpuid=FMA
      VEX.66.0F38B9    VFMADD231SS      Vd,Hd,Wd     w0 cpuid=FMA
      VEX.66.0F38B9    VFMADD231SD      Vq,Hq,Wq     w1 cpuid=FMA
      VEX.66.0F38BA    VFMSUB231PS      Vx,Hx,Wx     w0 cpuid=FMA
      VEX.66.0F38BA    VFMSUB231PD      Vx,Hx,Wx     w1 cpuid=FMA
      VEX.66.0F38BB    VFMSUB231SS      Vd,Hd,Wd     w0 cpuid=FMA
      VEX.66.0F38BB    VFMSUB231SD      Vq,Hq,Wq     w1 cpuid=FMA
      VEX.66.0F38BC    VFNMADD231PS     Vx,Hx,Wx     w0 cpuid=FMA
      VEX.66.0F38BC    VFNMADD231PD     Vx,Hx,Wx     w1 cpuid=FMA
      VEX.66.0F38BD    VFNMADD231SS     Vd,Hd,Wd     w0 cpuid=FMA
      VEX.66.0F38BD    VFNMADD231SD     Vq,Hq,Wq     w1 cpuid=FMA
      VEX.66.0F38BE    VFNMSUB231PS     Vx,Hx,Wx     w0 cpuid=FMA
      VEX.66.0F38BE    VFNMSUB231PD     Vx,Hx,Wx     w1 cpuid=FMA
      VEX.66.0F38BF    VFNMSUB231SS     Vd,Hd,Wd     w0 cpuid=FMA
      VEX.66.0F38BF    VFNMSUB231SD     Vq,Hq,Wq     w1 cpuid=FMA
      VEX.66.0F3A00    VPERMQ           Vx,Wx,Ib     w1 l1 cpuid=AVX2
      VEX.66.0F3A01    VPERMPD          Vx,Wx,Ib     w1 l1 cpuid=AVX2
      VEX.66.0F3A02    VPBLENDD         Vx,Hx,Wx,Ib  w0 cpuid=AVX2
      VEX.66.0F3A04    VPERMILPS        Vx,Wx,Ib     w0 cpuid=AVX
      VEX.66.0F3A05    VPERMILPD        Vx,Wx,Ib     w0 cpuid=AVX
      VEX.66.0F3A06    VPERM2F128       Vx,Hx,Wx,Ib  w0 l1 cpuid=AVX
      VEX.66.0F3A08    ROUNDPS          Vx,Wx,Ib     cpuid=AVX
      VEX.66.0F3A09    ROUNDPD          Vx,Wx,Ib     cpuid=AVX
      VEX.66.0F3A0A    ROUNDSS          Vd,Hd,Wd,Ib  cpuid=AVX
      VEX.66.0F3A0B    ROUNDSD          Vq,Hq,Wq,Ib  cpuid=AVX
      VEX.66.0F3A0C    BLENDPS          Vx,Hx,Wx,Ib  cpuid=AVX
      VEX.66.0F3A0D    BLENDPD          Vx,Hx,Wx,Ib  cpuid=AVX
      VEX.66.0F3A0E    PBLENDW          Vx,Hx,Wx,Ib  cpuid=AVX ymm=AVX2
      VEX.66.0F3A0F    PALIGNR          Vx,Hx,Wx,Ib  cpuid=AVX ymm=AVX2
      VEX.66.0F3A14    PEXTRB           Eb,Vx,Ib     l0 cpuid=AVX
      VEX.66.0F3A15    PEXTRW           Ew,Vx,Ib     l0 cpuid=AVX
      VEX.66.0F3A16    PEXTRD           Ey,Vx,Ib     l0 cpuid=AVX
      VEX.66.0F3A17    EXTRACTPS        Ed,Vx,Ib     l0 cpuid=AVX
      VEX.66.0F3A18    VINSERTF128      Vx,Hx,Wo,Ib  w0 l1 cpuid=AVX
      VEX.66.0F3A19    VEXTRACTF128     Wo,Vx,Ib     w0 l1 cpuid=AVX
      VEX.66.0F3A1D    VCVTPS2PH        Wh,Vx,Ib     w0 cpuid=F16C
      VEX.66.0F3A20    PINSRB           Vx,Hx,Eb,Ib  l0 cpuid=AVX
      VEX.66.0F3A21    INSERTPS         Vx,Hx,Wd,Ib  l0 cpuid=AVX
      VEX.66.0F3A22    PINSRD           Vx,Hx,Ey,Ib  l0 cpuid=AVX
      VEX.66.0F3A38    VINSERTI128      Vx,Hx,Wo,Ib  w0 l1 cpuid=AVX2
      VEX.66.0F3A39    VEXTRACTI128     Wo,Vx,Ib     w0 l1 cpuid=AVX2
      VEX.66.0F3A40    DPPS             Vx,Hx,Wx,Ib  cpuid=AVX
      VEX.66.0F3A41    DPPD             Vx,Hx,Wx,Ib  l0 cpuid=AVX
      VEX.66.0F3A42    MPSADBW          Vx,Hx,Wx,Ib  cpuid=AVX ymm=AVX2
      VEX.66.0F3A46    VPERM2I128       Vx,Hx,Wx,Ib  w0 l1 cpuid=AVX2
      VEX.66.0F3A4A    BLENDVPS         Vx,Hx,Wx,Lx  w0 cpuid=AVX
      VEX.66.0F3A4B    BLENDVPD         Vx,Hx,Wx,Lx  w0 cpuid=AVX
      VEX.66.0F3A4C    PBLENDVB         Vx,Hx,Wx,Lx  w0 cpuid=AVX ymm=AVX2
      VEX.66.0F3A60    PCMPESTRM        Vx,Wx,Ib     l0 cpuid=AVX
      VEX.66.0F3A61    PCMPESTRI        Vx,Wx,Ib     l0 cpuid=AVX
      VEX.66.0F3A62    PCMPISTRM        Vx,Wx,Ib     l0 cpuid=AVX
      VEX.66.0F3A63    PCMPISTRI        Vx,Wx,Ib     l0 cpuid=AVX
      """;

  private VexRows() {}
}
