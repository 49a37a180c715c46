.code16
.intel_syntax noprefix
# Rings the three doorbells of a BellDevice again and again, waiting each time until it is answered,
# by an interrupt; stores that must not ring in between; and the window moves now and then.
start:
  cli
  xor ax, ax
  mov ds, ax
  mov ss, ax
  mov sp, 0x7000
  mov word ptr [0x100], offset handler
  mov word ptr [0x102], cs
  mov al, 0xFF
  out 0x21, al
  out 0xA1, al
  mov ecx, 0x1B           # IA32_APIC_BASE: x2APIC
  rdmsr
  or ah, 0x0C
  wrmsr
  mov ecx, 0x80F          # spurious vector, enabled
  xor edx, edx
  mov eax, 0x1FF
  wrmsr
  mov ax, 0xB000
  mov es, ax
  xor ebx, ebx
again:
  inc ebx
  mov word ptr es:[0], 1        # of another size
  mov dword ptr es:[4], 8       # of another value
  mov dword ptr es:[0], ebx
  call answer
  mov dword ptr es:[4], 7
  call answer
  mov dx, 0x5F0
  mov ax, bx
  out dx, ax
  call answer
  test bl, 15
  jnz stay
  mov dx, 0x5F8                 # off the bus: nobody hears
  xor eax, eax
  out dx, eax
  mov dword ptr es:[0], ebx
  mov ax, es
  xor ax, 0x0100                # to 0xB1000 and back
  mov es, ax
  movzx eax, ax
  shl eax, 4
  out dx, eax
stay:
  mov eax, es:[12]              # how many rounds there are to be
  cmp ebx, eax
  jb again
  mov dx, 0x5FC
  mov eax, ebx
  out dx, eax
stop:
  hlt
  jmp stop
answer:
  cli
  cmp dword ptr es:[8], 0
  jne answered
  sti
  hlt
  jmp answer
answered:
  sti
  mov dword ptr es:[8], 0
  ret
handler:
  push eax
  push ecx
  push edx
  mov ecx, 0x80B          # end of interrupt
  xor eax, eax
  xor edx, edx
  wrmsr
  pop edx
  pop ecx
  pop eax
  iret
