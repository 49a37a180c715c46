package io.vmm4j.software.machinecode.verify;

/**
 * The lines of {@link HostForms} for instructions with VEX (Intel SDM volume 2, 2.3 and chapters 3
 * to 5): AVX, AVX2, FMA, F16C, BMI1 and BMI2, without masked accesses and gathers.
 *
 * <p>Besides what lines without VEX have: H is the vector register in VEX.vvvv, J the same where
 * ModRM.rm is a register and none otherwise, B the general register there. Without any of them vvvv
 * has to be 1111. Sizes of vectors: x and a 32 bytes with VEX.L, h, f and e a half, a quarter and
 * an eighth of x, u 32 bytes with VEX.L and 8 without, o 16 bytes. L0 and L1 need VEX.L to be that.
 * W has to be 0 but where an operand has size y; W1 needs it to be 1, W* leaves it.
 */
final class VexForms {
  static final String LINES =
      """
      NP,66 0F10 MOVUPS =Vx Wx
      F3 0F10 MOVSS =Vx Jx Wd L0
      F2 0F10 MOVSD =Vx Jx Wq L0
      NP,66 0F11 MOVUPS =Wx Vx
      F3 0F11 MOVSS =Wd Jx Vx L0
      F2 0F11 MOVSD =Wq Jx Vx L0
      NP 0F12 MOVLPS =Vx Hx Wq L0
      66 0F12 MOVLPD =Vx Hx Mq L0
      F3 0F12 MOVSLDUP =Vx Wx
      F2 0F12 MOVDDUP =Vx Wu
      NP,66 0F13 MOVLPS =Mq Vx L0
      NP,66 0F14-0F15 UNPCKLPS =Vx Hx Wx
      NP 0F16 MOVHPS =Vx Hx Wq L0
      66 0F16 MOVHPD =Vx Hx Mq L0
      F3 0F16 MOVSHDUP =Vx Wx
      NP,66 0F17 MOVHPS =Mq Vx L0
      NP,66 0F28 MOVAPS =Vx Wa
      NP,66 0F29 MOVAPS =Wa Vx
      F3,F2 0F2A CVTSI2SD =Vx Hx Ey L0
      NP,66 0F2B MOVNTPS =Ma Vx
      F3 0F2C-0F2D CVTSS2SI =Gy Wd L0
      F2 0F2C-0F2D CVTSD2SI =Gy Wq L0
      NP 0F2E-0F2F COMISS Vx Wd F L0
      66 0F2E-0F2F COMISD Vx Wq F L0
      NP,66 0F50 MOVMSKPS =Gd Ux
      NP,66 0F51 SQRTPS =Vx Wx
      F3 0F51 SQRTSS =Vx Hx Wd L0
      F2 0F51 SQRTSD =Vx Hx Wq L0
      NP,66 0F54-0F57 ANDPS =Vx Hx Wx
      NP,66 0F58-0F59 ADDPS =Vx Hx Wx
      F3 0F58-0F59 ADDSS =Vx Hx Wd L0
      F2 0F58-0F59 ADDSD =Vx Hx Wq L0
      NP 0F5A CVTPS2PD =Vx Wh
      66 0F5A CVTPD2PS =Vx Wx
      F3 0F5A CVTSS2SD =Vx Hx Wd L0
      F2 0F5A CVTSD2SS =Vx Hx Wq L0
      NP,66,F3 0F5B CVTDQ2PS =Vx Wx
      NP,66 0F5C-0F5F SUBPS =Vx Hx Wx
      F3 0F5C-0F5F SUBSS =Vx Hx Wd L0
      F2 0F5C-0F5F SUBSD =Vx Hx Wq L0
      66 0F60-0F6D PUNPCKLBW =Vx Hx Wx
      66 0F6E MOVD =Vx Ey L0
      66 0F6F MOVDQA =Vx Wa
      F3 0F6F MOVDQU =Vx Wx
      66,F3,F2 0F70 PSHUFD =Vx Wx Ib
      66 0F71/2 PSRLW =Hx Ux Ib
      66 0F71/4 PSRAW =Hx Ux Ib
      66 0F71/6 PSLLW =Hx Ux Ib
      66 0F72/2 PSRLD =Hx Ux Ib
      66 0F72/4 PSRAD =Hx Ux Ib
      66 0F72/6 PSLLD =Hx Ux Ib
      66 0F73/2 PSRLQ =Hx Ux Ib
      66 0F73/3 PSRLDQ =Hx Ux Ib
      66 0F73/6 PSLLQ =Hx Ux Ib
      66 0F73/7 PSLLDQ =Hx Ux Ib
      66 0F74-0F76 PCMPEQB =Vx Hx Wx
      NP 0F77 VZERO
      66,F2 0F7C-0F7D HADDPD =Vx Hx Wx
      66 0F7E MOVD =Ey Vx L0
      F3 0F7E MOVQ =Vx Wq L0
      66 0F7F MOVDQA =Wa Vx
      F3 0F7F MOVDQU =Wx Vx
      NP,66 0FC2 CMPPS =Vx Hx Wx Ib
      F3 0FC2 CMPSS =Vx Hx Wd Ib L0
      F2 0FC2 CMPSD =Vx Hx Wq Ib L0
      66 0FC4 PINSRW =Vx Hx Edw Ib L0
      66 0FC5 PEXTRW =Gd Ux Ib L0
      NP,66 0FC6 SHUFPS =Vx Hx Wx Ib
      66,F2 0FD0 ADDSUBPD =Vx Hx Wx
      66 0FD1-0FD3 PSRLW =Vx Hx Wo
      66 0FD4-0FD5 PADDQ =Vx Hx Wx
      66 0FD6 MOVQ =Wq Vx L0
      66 0FD7 PMOVMSKB =Gd Ux
      66 0FD8-0FE0 PSUBUSB =Vx Hx Wx
      66 0FE1-0FE2 PSRAW =Vx Hx Wo
      66 0FE3-0FE5 PAVGW =Vx Hx Wx
      66,F2 0FE6 CVTTPD2DQ =Vx Wx
      F3 0FE6 CVTDQ2PD =Vx Wh
      66 0FE7 MOVNTDQ =Ma Vx
      66 0FE8-0FEF PSUBSB =Vx Hx Wx
      F2 0FF0 LDDQU =Vx Mx
      66 0FF1-0FF3 PSLLW =Vx Hx Wo
      66 0FF4-0FF6 PMULUDQ =Vx Hx Wx
      66 0FF8-0FFE PSUBB =Vx Hx Wx
      66 0F3800-0F380B PSHUFB =Vx Hx Wx
      66 0F380C-0F380D VPERMILPS =Vx Hx Wx
      66 0F380E-0F380F VTESTPS Vx Wx F
      66 0F3813 VCVTPH2PS =Vx Wh
      66 0F3816 VPERMPS =Vx Hx Wx L1
      66 0F3817 PTEST Vx Wx F
      66 0F3818 VBROADCASTSS =Vx Wd
      66 0F3819 VBROADCASTSD =Vx Wq L1
      66 0F381A VBROADCASTF128 =Vx Mo L1
      66 0F381C-0F381E PABSB =Vx Wx
      66 0F3820 PMOVSXBW =Vx Wh
      66 0F3821 PMOVSXBD =Vx Wf
      66 0F3822 PMOVSXBQ =Vx We
      66 0F3823 PMOVSXWD =Vx Wh
      66 0F3824 PMOVSXWQ =Vx Wf
      66 0F3825 PMOVSXDQ =Vx Wh
      66 0F3828-0F3829 PMULDQ =Vx Hx Wx
      66 0F382A MOVNTDQA =Vx Ma
      66 0F382B PACKUSDW =Vx Hx Wx
      66 0F3830 PMOVZXBW =Vx Wh
      66 0F3831 PMOVZXBD =Vx Wf
      66 0F3832 PMOVZXBQ =Vx We
      66 0F3833 PMOVZXWD =Vx Wh
      66 0F3834 PMOVZXWQ =Vx Wf
      66 0F3835 PMOVZXDQ =Vx Wh
      66 0F3836 VPERMD =Vx Hx Wx L1
      66 0F3837-0F3840 PCMPGTQ =Vx Hx Wx
      66 0F3841 PHMINPOSUW =Vx Wx L0
      66 0F3845 VPSRLVD =Vx Hx Wx W*
      66 0F3846 VPSRAVD =Vx Hx Wx
      66 0F3847 VPSLLVD =Vx Hx Wx W*
      66 0F3858 VPBROADCASTD =Vx Wd
      66 0F3859 VPBROADCASTQ =Vx Wq
      66 0F385A VBROADCASTI128 =Vx Mo L1
      66 0F3878 VPBROADCASTB =Vx Wb
      66 0F3879 VPBROADCASTW =Vx Ww
      66 0F3896-0F3898 VFMADD132PS +Vx Hx Wx W*
      66 0F3899 VFMADD132SS +Vx Hx Wy L0
      66 0F389A VFMSUB132PS +Vx Hx Wx W*
      66 0F389B VFMSUB132SS +Vx Hx Wy L0
      66 0F389C VFNMADD132PS +Vx Hx Wx W*
      66 0F389D VFNMADD132SS +Vx Hx Wy L0
      66 0F389E VFNMSUB132PS +Vx Hx Wx W*
      66 0F389F VFNMSUB132SS +Vx Hx Wy L0
      66 0F38A6-0F38A8 VFMADD213PS +Vx Hx Wx W*
      66 0F38A9 VFMADD213SS +Vx Hx Wy L0
      66 0F38AA VFMSUB213PS +Vx Hx Wx W*
      66 0F38AB VFMSUB213SS +Vx Hx Wy L0
      66 0F38AC VFNMADD213PS +Vx Hx Wx W*
      66 0F38AD VFNMADD213SS +Vx Hx Wy L0
      66 0F38AE VFNMSUB213PS +Vx Hx Wx W*
      66 0F38AF VFNMSUB213SS +Vx Hx Wy L0
      66 0F38B6-0F38B8 VFMADD231PS +Vx Hx Wx W*
      66 0F38B9 VFMADD231SS +Vx Hx Wy L0
      66 0F38BA VFMSUB231PS +Vx Hx Wx W*
      66 0F38BB VFMSUB231SS +Vx Hx Wy L0
      66 0F38BC VFNMADD231PS +Vx Hx Wx W*
      66 0F38BD VFNMADD231SS +Vx Hx Wy L0
      66 0F38BE VFNMSUB231PS +Vx Hx Wx W*
      66 0F38BF VFNMSUB231SS +Vx Hx Wy L0
      66 0F3A00-0F3A01 VPERMQ =Vx Wx Ib L1 W1
      66 0F3A02 VPBLENDD =Vx Hx Wx Ib
      66 0F3A04-0F3A05 VPERMILPS =Vx Wx Ib
      66 0F3A06 VPERM2F128 =Vx Hx Wx Ib L1
      66 0F3A08-0F3A09 ROUNDPS =Vx Wx Ib
      66 0F3A0A ROUNDSS =Vx Hx Wd Ib L0
      66 0F3A0B ROUNDSD =Vx Hx Wq Ib L0
      66 0F3A0C-0F3A0F BLENDPS =Vx Hx Wx Ib
      66 0F3A14 PEXTRB =Edb Vx Ib L0
      66 0F3A15 PEXTRW =Edw Vx Ib L0
      66 0F3A16 PEXTRD =Ey Vx Ib L0
      66 0F3A17 EXTRACTPS =Ed Vx Ib L0
      66 0F3A18 VINSERTF128 =Vx Hx Wo Ib L1
      66 0F3A19 VEXTRACTF128 =Wo Vx Ib L1
      66 0F3A1D VCVTPS2PH =Wh Vx Ib
      66 0F3A20 PINSRB =Vx Hx Edb Ib L0
      66 0F3A21 INSERTPS =Vx Hx Wd Ib L0
      66 0F3A22 PINSRD =Vx Hx Ey Ib L0
      66 0F3A38 VINSERTI128 =Vx Hx Wo Ib L1
      66 0F3A39 VEXTRACTI128 =Wo Vx Ib L1
      66 0F3A40 DPPS =Vx Hx Wx Ib
      66 0F3A41 DPPD =Vx Hx Wx Ib L0
      66 0F3A42 MPSADBW =Vx Hx Wx Ib
      66 0F3A46 VPERM2I128 =Vx Hx Wx Ib L1
      66 0F3A4A-0F3A4C BLENDVPS =Vx Hx Wx Ib
      66 0F3A60 PCMPESTRM Vx Wx Ib F L0 W*
      66 0F3A61 PCMPESTRI Vx Wx Ib F !C L0 W*
      66 0F3A62 PCMPISTRM Vx Wx Ib F L0
      66 0F3A63 PCMPISTRI Vx Wx Ib F !C L0
      NP 0F38F2 ANDN =Gy By Ey F L0
      NP 0F38F3/1 BLSR =By Ey F L0
      NP 0F38F3/2 BLSMSK =By Ey F L0
      NP 0F38F3/3 BLSI =By Ey F L0
      NP 0F38F5 BZHI =Gy Ey By F L0
      F3 0F38F5 PEXT =Gy By Ey L0
      F2 0F38F5 PDEP =Gy By Ey L0
      F2 0F38F6 MULX =Gy =By Ey L0
      NP 0F38F7 BEXTR =Gy Ey By F L0
      66 0F38F7 SHLX =Gy Ey By L0
      F3 0F38F7 SARX =Gy Ey By L0
      F2 0F38F7 SHRX =Gy Ey By L0
      F2 0F3AF0 RORX =Gy Ey Ib L0
      """;

  private VexForms() {}
}
