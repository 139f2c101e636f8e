// Sample drawings.

/**
 * A drawing of each digit, 0 to 9, encoded by `encodeStrokes`: the first one of each by writer 29 in the file
 * pendigits-orig.tra, 0.6 of the sheet on its longest side. "Pen-Based Recognition of Handwritten Digits" by E. Alpaydin
 * and F. Alimoglu, UCI Machine Learning Repository, CC BY 4.0, https://doi.org/10.24432/C5MG6K. The model is trained on
 * this writer among others: the samples show the page, not how well the model reads.
 */
export const SAMPLES = [
  "1HOAGpAQfPxUzMx8_Cik2KWgzigEfngEJnAEKqgEgngFUdGpefiqIAQCKAR9-U15nVH8gsQEJnQEppwFJiQFzZ30_cxOHASo",
  "1GOQH2gURABEAAB8GFxIZICkYJRorHisUIwwfACAFPhNeF2glfh2IASuCAR-EASN2GWgFWAA-",
  "1K5QH5gURHgUYERIRBhEFCxcMIww1HjswQTZBQi9CL0gLPBIqNh5OBmYdeCOQAUGKAU2KAVl-X2ZlTlM8cSo7ABcLCxcMESQXPAtOC1QGWgZsDGYYWgxgDGASVAY",
  "1K54GzAUbBRUdEw0PFRsbHCMsIzojTitIG1YjVgBCDioeHjIHSCNOMVY_SEE6MTorHBMODgUkADIHSABIDkAeUEAWQABWHVApTk9IVUJdMlUkVQ5PADcNMR0",
  "1FuIGmgMdCRMGDxgRGBMuDywNQg9AA14EOBQsHigsGDIQQgpGAEQARgBCCTIFJgkNV5cDGQ0nFBcsE0wZVB1yF4IBIYYBGYwBDYYBGXIJZA",
  "1HfAGmAQLGBEsGTwdOBE-C0QTJAsmGg0eIzIdNiVEEUoAUAxEMjA8IFgGaAViH2gvXjdQPTY9LDUMJQw1IwtDiQcMESYjGCswIyYfNiM-GT4RRAtKAA",
  "1GpwKkAM_EE0wXV5nbm2WAVWWAS-eAR-WAQh-MGg2RlgYVgBgD0YvOC0YNwAvFx0vF0UATxhNGE8uRTg",
  "1F6gGtAMpACsAFQAWDUAHUAVeB14AXg5QLDI6JFYAbCOEASN6OXoxfDlsI14VSA1IACw",
  "1J7QJjgYoLRQtDjsAMwczEzUtHy0ZRw1HBkkUMygtQg1QAFwiYjR2QnI8aDxqGlwUUBNOJzw7IDkOTwBHGTstH08AqQEagwE6b1BxVmdcW1w1SCc",
  "1LcAIsgYKDxATDgsMEwQTIBMUIxQjFkMFMxMtGSMjHS0FPQpDJD06N0ItTh9IDT4AKA4aJAYwFTwdOiM0HygTKgAUEAooAD4JThNSH2IjYidYH0wjThk-EzQZJAMU",
];
