-- COEFFICIENTS
-- ============
-- Polynomials of lower/functions.lua in ascending powers, made by tools/fit.py (which says how): do
-- not edit.  decay is e^-r, with ln 2 in two parts; tanh and normal are quotients p/q in x^2 that
-- x is multiplied by: tanh x (relative error), and the normal distribution less a half (absolute
-- error, that of small x times x).

return {
  f32 = {
    -- to |r| = ln(2)/2 and a little more, error 2^-23.3
    decay = {
      0x1p0, -0x1.fffff6p-1, 0x1.fffdaep-2, -0x1.555aap-3, 0x1.574408p-5,
      -0x1.0fa106p-7,
    },
    log2e = 0x1.715476p0,
    ln2 = { 0x1.62ep-1, 0x1.0bfbe8p-15 },
    -- to |x| = 9.1, error 2^-29.4
    tanh_p = {
      0x1p0, 0x1.18165cp-3, 0x1.fa68cep-9, 0x1.d44932p-16, 0x1.04c0e2p-25,
      -0x1.a76652p-37,
    },
    tanh_q = {
      0x1p0, 0x1.e16082p-2, 0x1.be1cb8p-6, 0x1.9c1eeep-12, 0x1.57c908p-20,
    },
    -- to |x| = 5.5, error 2^-26.9
    normal_p = {
      0x1.988452p-2, 0x1.1309fcp-5, 0x1.3154dap-8, 0x1.5bb1cap-13, 0x1.a7b492p-18,
      0x1.88d148p-26,
    },
    normal_q = {
      0x1p0, 0x1.00d80ap-2, 0x1.d2ab2p-6, 0x1.e9921p-10, 0x1.3068e8p-14,
      0x1.419516p-20,
    },
  },
  f64 = {
    -- to |r| = ln(2)/2 and a little more, error 2^-57.9
    decay = {
      0x1p0, -0x1p0, 0x1.000000000000cp-1,
      -0x1.55555555554a3p-3, 0x1.555555554faa3p-5, -0x1.1111111132081p-7,
      0x1.6c16c186e8e8ep-10, -0x1.a01a0109127b7p-13, 0x1.a019930a6cdf3p-16,
      -0x1.71df53b2b316p-19, 0x1.28b3ab81aec52p-22, -0x1.ad5439f28bfc5p-26,
    },
    log2e = 0x1.71547652b82fep0,
    ln2 = { 0x1.62e42fefa4p-1, -0x1.8432a1b0e2634p-43 },
    -- to |x| = 19.1, error 2^-57.7
    tanh_p = {
      0x1p0, 0x1.386fb35a65ap-3, 0x1.8ef82abecb3d9p-8,
      0x1.9ace840b00891p-14, 0x1.9179b5c2fda06p-21, 0x1.8b0e1b1e06822p-29,
      0x1.841e9e1399897p-38, 0x1.5f3f25d61b021p-48, 0x1.daddaf74bdfa9p-60,
      0x1.e2452bdcc4c89p-74, -0x1.a2614d950c60ep-89,
    },
    tanh_q = {
      0x1p0, 0x1.f18d2f0288254p-2, 0x1.1c6893c500329p-5,
      0x1.bf753970cb0cfp-11, 0x1.397edc74aed7p-17, 0x1.b183c9551ebp-25,
      0x1.2eed2f395bcccp-33, 0x1.9a5ff61ebb4eap-43, 0x1.d850cac6c679ap-54,
      0x1.458e42f1a31cbp-66,
    },
    -- to |x| = 8.4, error 2^-59.7
    normal_p = {
      0x1.9884533d43651p-2, 0x1.27cd383f4c30ep-5, 0x1.6e7099fe1366fp-8,
      0x1.1636943b8f94dp-12, 0x1.1e62f303d5263p-16, 0x1.12908c722ad1fp-21,
      0x1.367b1066d8bfcp-26, 0x1.7cb6996f20548p-32, 0x1.eeebbd0017dffp-38,
      0x1.41fd5988f82cfp-44, 0x1.7620b864969fp-51, -0x1.404c0e93743d8p-59,
      -0x1.d75dbf24311fap-66, -0x1.9e9b5aa172bccp-77,
    },
    normal_q = {
      0x1p0, 0x1.075989ecf59f6p-2, 0x1.052629cf749efp-5,
      0x1.4af2178fef8d4p-9, 0x1.2b43f506834bdp-13, 0x1.97ee010bae811p-18,
      0x1.aea7518b37e23p-23, 0x1.630048a35a4fdp-28, 0x1.c3dcd0a94e962p-34,
      0x1.a9a9ecc0fdf54p-40, 0x1.0668302dab8fep-46, 0x1.dec313bb06493p-55,
      -0x1.c84c3cc03622cp-61, -0x1.e557640f1e74cp-70,
    },
  },
}
